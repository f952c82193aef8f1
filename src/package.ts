import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the package, with a slash at its end. It holds src/, and dist/ with the one file made of it. */
export const packageFolder = fileURLToPath(new URL('..', import.meta.url))

/** The version in package.json. */
export function readVersion(): string {
  return (JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string })
    .version
}
