import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface CurlAnswer {
  readonly status: number
  /** `1.0`, `1.1`, `2`, `3`. */
  readonly version: string
}

const run = promisify(execFile)

/** Asks over exactly this version of HTTP, with whatever certificate. Debian's curl speaks all of them. */
export async function curl(
  version: '1.0' | '1.1' | '2' | '3',
  url: string,
  parameters: readonly string[] = [],
): Promise<CurlAnswer> {
  const flag = version === '3' ? '--http3-only' : `--http${version}`
  const format = '%{http_code} %{http_version}'
  const all = [
    '-sk',
    flag,
    '-o',
    '/dev/null',
    '-w',
    format,
    '--max-time',
    '20',
    '--globoff',
    ...parameters,
    url,
  ]
  const { stdout } = await run('curl', all)
  const [status = '', spoken = ''] = stdout.split(' ')
  return { status: Number(status), version: spoken }
}
