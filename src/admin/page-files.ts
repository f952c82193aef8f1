import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Routes } from './routes.ts'

/** What the page may load and do: nothing but its own files and this listener's answers, framed by nobody. */
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

/** What a browser loads. */
const ofPage = /^[^.].*\.(?:html|css|js|svg|png|ico)$/

/** The files of the live page, `index.html` as `/`. Only what lies in the folder at the start has a route, and nothing below it. */
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
