import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Routes } from './routes.ts'

/**
 * Content-Security-Policy: the page may load only its own files and the answers of this listener, and no page
 * may frame it.
 */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Files that a browser loads. */
const ofPage = /^[^.].*\.(?:html|css|js|svg|png|ico)$/

/**
 * Routes for the files of the live page; `/` is `index.html`. Only files that are in the folder at the start
 * have a route, and none of its subfolders.
 */
export function createPageFiles(folder: string): Routes {
  const entries = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []
  const names = entries.filter((entry) => entry.isFile() && ofPage.test(entry.name)).map(({ name }) => name)
  return Object.fromEntries(
    names.map((name) => {
      const bytes = readFileSync(join(folder, name))
      const path = name === 'index.html' ? '/' : `/${name}`
      return [path, { GET: (_request, response) => void response.type(extname(name)).send(bytes) }]
    }),
  ) satisfies Routes
}
