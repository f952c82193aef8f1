// npx tsx tools/settings-documents.ts: writes the table of docs/settings.md, and .env.example, from
// src/config/settings-table.ts.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Setting, settingsTable } from '../src/config/settings-table.ts'

/** The page with the table of settings. */
export const settingsPageFile = fileURLToPath(new URL('../docs/settings.md', import.meta.url))
/** The example of an environment file. */
export const envExampleFile = fileURLToPath(new URL('../.env.example', import.meta.url))

const BEGIN = '<!-- settings:begin -->\n'
const END = '<!-- settings:end -->'

type Table = Readonly<Record<string, Pick<Setting<unknown>, 'value' | 'about' | 'example'>>>

/** The Markdown table: one row for each setting, in the order of the settings table. */
export function renderTable(table: Table = settingsTable): string {
  const rows = Object.entries(table).map(([name, { value, about }]) => {
    const shown = value === undefined ? '*required*' : value === '' ? '*empty*' : `\`${value}\``
    return `| ${[`\`${name}\``, shown, about].map(cell).join(' | ')} |\n`
  })
  return `| name | default | |\n|---|---|---|\n${rows.join('')}`
}

/**
 * The text of `.env.example`. What must be set is set. All other settings are commented out, with their
 * defaults.
 */
export function renderEnvExample(table: Table = settingsTable): string {
  const blocks = Object.entries(table).map(([name, { value, about, example = '' }]) => {
    const line = value === undefined ? `${name}=${example}` : `#${name}=${value}`
    return `# ${about}\n${line}\n`
  })
  return blocks.join('\n')
}

/** The text between the markers of the page. @throws when a marker is missing */
export function readTable(page: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END, begin)
  if (begin === -1 || end === -1) {
    throw new Error(
      `docs/settings.md lacks the lines ${BEGIN.trim()} and ${END}; put the settings table between them`,
    )
  }
  return page.slice(begin + BEGIN.length, end)
}

/** A bar inside a cell would end it. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(envExampleFile, renderEnvExample())
  const page = readFileSync(settingsPageFile, 'utf8')
  const table = readTable(page)
  writeFileSync(
    settingsPageFile,
    page.replace(`${BEGIN}${table}${END}`, () => `${BEGIN}${renderTable()}${END}`),
  )
}
