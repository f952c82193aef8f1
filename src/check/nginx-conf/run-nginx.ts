import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The result of `nginx -T`. */
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

/** Where packages, and builds by hand, put nginx; for a PATH without them. */
const folders = ['/usr/sbin', '/usr/local/sbin', '/usr/local/nginx/sbin', '/usr/local/openresty/nginx/sbin']
/** Milliseconds. nginx resolves the names in the configuration while it tests it. */
const LIMIT = 6_000
const MAX_OUTPUT = 64 * 1024 * 1024

/** Tests nginx's configuration and prints it. Changes nothing. @param path the variable PATH */
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
