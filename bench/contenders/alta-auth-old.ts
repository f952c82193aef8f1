import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createAltaAuth } from './alta-auth.ts'
import type { Contender } from './contender.ts'

/**
 * h of another checkout, such as a git worktree of an older commit, with its own snippets. Installs its
 * packages and builds it.
 * @throws when it cannot be built
 */
export function createOldAltaAuth(folder: string): Contender {
  const checkout = resolve(folder)
  const build = join(checkout, 'tools', 'build.mjs')
  if (!existsSync(build))
    throw new Error(`${checkout} is no checkout of alta-auth: it has no tools/build.mjs`)
  const built = spawnSync(process.execPath, [build], { stdio: ['ignore', 2, 2] })
  if (built.status !== 0) throw new Error(`${checkout} could not be built: see above`)
  return createAltaAuth({
    letter: 'o',
    name: 'old alta-auth, Unix socket',
    what: 'h of another checkout, with its own snippets.',
    slug: 'alta-auth-old',
    over: 'unix',
    cached: false,
    checkout,
  })
}
