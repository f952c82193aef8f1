import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What `nginx -T` said. */
export type NginxRun =
  | { readonly kind: 'absent' }
  | { readonly kind: 'silent'; readonly limit: number }
  | {
      readonly kind: 'ran'
      readonly binary: string
      readonly code: number
      readonly stdout: string
      readonly stderr: string
    }

/** Where packages and a build by hand put it, if not in PATH. */
const folders = ['/usr/sbin', '/usr/local/sbin', '/usr/local/nginx/sbin', '/usr/local/openresty/nginx/sbin']
/** Names in the configuration are looked up while it is tested; milliseconds. */
const LIMIT = 6_000
const MAX_OUTPUT = 64 * 1024 * 1024

/** Tests nginx's configuration and prints it; changes nothing. `path` is the variable PATH. */
export function runNginx(path: string): Promise<NginxRun> {
  const binary = [...path.split(delimiter).filter((folder) => folder !== ''), ...folders]
    .map((folder) => join(folder, 'nginx'))
    .find(isProgram)
  if (binary === undefined) return Promise.resolve({ kind: 'absent' })
  return new Promise((resolve) => {
    execFile(
      binary,
      ['-T'],
      { timeout: LIMIT, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT },
      (error, stdout, stderr) => {
        if (error?.killed === true) resolve({ kind: 'silent', limit: LIMIT })
        else
          resolve({
            kind: 'ran',
            binary,
            code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1,
            stdout,
            stderr,
          })
      },
    )
  })
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
