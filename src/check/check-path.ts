import type { Middleware } from '../backend/presets.ts'
import { pathOf } from '../backend/presets.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

export interface PathOptions {
  readonly middleware: Middleware
  /** Of the backend's URL, after a preset has completed it. */
  readonly path: string
  /** What it answered; undefined = nothing. */
  readonly status: number | undefined
  /** Whether playing sessions are asked about again. */
  readonly rechecks: boolean
}

const known = Object.entries(pathOf) as [Exclude<Middleware, 'custom'>, string][]

/** Whether the path of BACKEND_URL and MIDDLEWARE fit each other and the backend. */
export function checkPath({ middleware, path, status, rechecks }: PathOptions): Finding {
  const name = 'backend-path'
  const detail = { middleware, path }
  if (middleware !== 'custom') {
    const documented = pathOf[middleware]
    const bare = `write only http://host in BACKEND_URL: MIDDLEWARE=${middleware} completes it to ${documented}`
    if (path !== documented) {
      return status === 404
        ? failed(name, `${path} is not there (404), and not where ${middleware} answers`, bare, detail)
        : warning(
            name,
            `${path} is not where ${middleware} answers`,
            `${bare}. If your path is right: MIDDLEWARE=custom with ALLOW_TTL=session`,
            detail,
          )
    }
    if (status !== 404) return ok(name, `the documented path of ${middleware}`, detail)
    const remedy = `is ${middleware} on this host, and at the root of it? Otherwise write the whole URL, MIDDLEWARE=custom and ALLOW_TTL=session`
    return failed(name, `${path} is not there (404)`, remedy, detail)
  }
  for (const [preset, documented] of known) {
    if (path === documented && rechecks) {
      const remedy = `set MIDDLEWARE=${preset} (its tokens do not live as long as a viewer watches), or ALLOW_TTL=session`
      return warning(
        name,
        `this is the path of ${preset}, but MIDDLEWARE=custom re-checks playing viewers`,
        remedy,
        detail,
      )
    }
    if (path !== documented && firstStep(path) === firstStep(documented)) {
      const remedy = `it answers at ${documented}: set MIDDLEWARE=${preset} and write only http://host in BACKEND_URL`
      return warning(name, `${path} looks like ${preset}, but is not where it answers`, remedy, detail)
    }
  }
  if (status === 404) {
    const remedy =
      'does the script deny with 404? Then all is well. Otherwise the path of BACKEND_URL is wrong'
    return warning(name, `${path} answers 404, as a wrong path would`, remedy, detail)
  }
  return ok(name, path === '/' ? 'the root of the host' : path, detail)
}

/** `/auth/` is everybody's word; the others are a product's. */
function firstStep(path: string): string {
  const step = path.split('/')[1] ?? ''
  return step === 'auth' ? path : step
}
