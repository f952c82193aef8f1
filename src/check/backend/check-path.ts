import { type Middleware, pathOf } from '../../client/presets.ts'
import { type Finding, findingsOf } from '../finding.ts'

/** The backend's URL, and what it answered. */
interface PathOptions {
  readonly middleware: Middleware
  /** The path of the backend's URL, after a preset has completed it. */
  readonly path: string
  /** The status of its answer; undefined = there was none. */
  readonly status: number | undefined
  /** Whether the gate asks again about sessions that play. */
  readonly rechecks: boolean
}

type Preset = Exclude<Middleware, 'custom'>

const { ok, warning, failed } = findingsOf('backend-path')
const known = Object.entries(pathOf) as [Preset, string][]

/** Checks that the path of BACKEND_URL, MIDDLEWARE and the backend fit each other. */
export function checkPath(options: PathOptions): Finding {
  return options.middleware === 'custom' ? judgeCustom(options) : judgePreset(options.middleware, options)
}

function judgePreset(middleware: Preset, { path, status }: PathOptions): Finding {
  const detail = { middleware, path }
  const documented = pathOf[middleware]
  if (path !== documented) {
    const remedy = `write only http://host in BACKEND_URL: MIDDLEWARE=${middleware} completes it to ${documented}`
    if (status === 404)
      return failed(`${path} is not there (404), and not where ${middleware} answers`, remedy, detail)
    const other = `${remedy}. If your path is right: MIDDLEWARE=custom, ALLOW_TTL=session and UNAVAILABLE_STATUS='502 503 504'`
    return warning(`${path} is not where ${middleware} answers`, other, detail)
  }
  if (status !== 404) return ok(`the documented path of ${middleware}`, undefined, detail)
  const remedy = `is ${middleware} on this host, and at the root of it? Otherwise write the whole URL, MIDDLEWARE=custom, ALLOW_TTL=session and UNAVAILABLE_STATUS='502 503 504'`
  return failed(`${path} is not there (404)`, remedy, detail)
}

function judgeCustom({ middleware, path, status, rechecks }: PathOptions): Finding {
  const detail = { middleware, path }
  for (const [preset, documented] of known) {
    if (path === documented && rechecks) {
      const sentence = `this is the path of ${preset}, but MIDDLEWARE=custom re-checks playing viewers`
      const remedy = `set MIDDLEWARE=${preset} (its tokens do not live as long as a viewer watches), or ALLOW_TTL=session`
      return warning(sentence, remedy, detail)
    }
    if (path !== documented && firstStep(path) === firstStep(documented)) {
      const remedy = `it answers at ${documented}: set MIDDLEWARE=${preset} and write only http://host in BACKEND_URL`
      return warning(`${path} looks like ${preset}, but is not where it answers`, remedy, detail)
    }
  }
  if (status === 404) {
    const remedy =
      'does the script deny with 404? Then all is well. Otherwise the path of BACKEND_URL is wrong'
    return warning(`${path} answers 404, as a wrong path would`, remedy, detail)
  }
  return ok(path === '/' ? 'the root of the host' : path, undefined, detail)
}

/** The first step of a path. `/auth/` is common; the others belong to one product. */
function firstStep(path: string): string {
  const step = path.split('/')[1] ?? ''
  return step === 'auth' ? path : step
}
