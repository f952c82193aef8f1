import { copyFileSync, cpSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

/** The folder of the loop that `startBroadcast` sends. */
export const loop = join(here, 'stream')

/** Copies the page and its player into nginx's document root. Nothing is loaded from another site. */
export function fillDocumentRoot(root: string): void {
  mkdirSync(root, { recursive: true })
  cpSync(join(here, 'page'), root, { recursive: true })
  copyFileSync(join(here, '..', 'live-page', 'base.css'), join(root, 'base.css'))
  // The module without subtitles and alternative sound. It is renamed to .js, because not every nginx knows
  // the type of .mjs.
  const distributed = dirname(createRequire(import.meta.url).resolve('hls.js'))
  copyFileSync(join(distributed, 'hls.light.min.mjs'), join(root, 'hls.js'))
}
