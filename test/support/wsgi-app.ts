import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Python: allows what comes with a token that begins with `good`. */
export const goodTokens = `
from urllib.parse import parse_qs

def application(environ, start_response):
    token = parse_qs(environ.get('QUERY_STRING', '')).get('token', [''])[-1]
    start_response('200 OK' if token.startswith('good') else '403 Forbidden', [('Content-Length', '0')])
    return [b'']
`

/** Writes `app.py` into the folder; its path. */
export function writeWsgiApp(folder: string, script: string): string {
  const file = join(folder, 'app.py')
  writeFileSync(file, script)
  return file
}
