import { printable } from '../log/printable.ts'
import type { CheckResult, Finding } from './finding.ts'

const marks: Readonly<Record<CheckResult, string>> = { ok: '✔', warning: '!', failed: '✘', skipped: '–' }
/** Colours of a terminal: green, yellow, red, grey. */
const colours: Readonly<Record<CheckResult, number>> = { ok: 32, warning: 33, failed: 31, skipped: 90 }
const GREY = 90
const WIDTH = 19
const INDENT = ' '.repeat(WIDTH + 4)

/** How lines are printed. */
interface FormatOptions {
  readonly colour: boolean
  /** The columns of a line; undefined = no bound. */
  readonly width: number | undefined
}

/**
 * Lines for people: one for each finding, with its remedy indented below. Checks skipped for the same cause
 * share a line.
 */
export function formatFindings(findings: readonly Finding[], options: FormatOptions): string {
  const groups = grouped(findings)
  return groups
    .map((group, index) => {
      const { name, remedy, backend } = group.finding
      const before = groups[index - 1]?.finding
      const after = groups[index + 1]?.finding
      const heading = backend === undefined || backend === before?.backend ? '' : `${backend}:\n`
      // Findings with the same remedy show it once, below the last of them.
      const isRepeated = after?.name === name && after.remedy === remedy
      const cure =
        remedy === undefined || isRepeated ? '' : `${INDENT}→ ${wrap(remedy, `${INDENT}  `, options.width)}\n`
      return heading + lineOf(group, options) + cure
    })
    .join('')
}

function lineOf({ names, finding: { result, finding } }: Group, { colour, width }: FormatOptions): string {
  const paint = (code: number, text: string): string => (colour ? `\x1b[${code}m${text}\x1b[0m` : text)
  const [name = ''] = names
  const isOne = names.length === 1
  const label = (isOne ? name : `${names.length} checks`).padEnd(WIDTH)
  const said = wrap(isOne ? finding : `${finding} (${names.join(', ')})`, INDENT, width)
  return `${paint(colours[result], marks[result])} ${label}  ${result === 'skipped' ? paint(GREY, said) : said}\n`
}

/** The last line: how many of each. */
export function formatSum(findings: readonly Finding[]): string {
  const count = (result: CheckResult): number => findings.filter((one) => one.result === result).length
  const [failures, warnings, skips] = [count('failed'), count('warning'), count('skipped')]
  const parts = [
    failures === 0 ? 'Nothing failed' : `${failures} failed`,
    ...(warnings === 0 ? [] : [warnings === 1 ? '1 warning' : `${warnings} warnings`]),
    ...(skips === 0 ? [] : [`${skips} skipped`]),
  ]
  return `\n${parts.join(', ')}.\n`
}

/** All findings for machines: one JSON object on one line. */
export function formatJson(findings: readonly Finding[]): string {
  const checks = findings.map(({ name, result, finding, remedy, detail, backend }) => ({
    name,
    result,
    finding,
    ...(remedy === undefined ? {} : { remedy }),
    ...detail,
    ...(backend === undefined ? {} : { backend }),
  }))
  // JSON escapes only the first 32 characters. The escapes of `printable` are valid JSON, too.
  return `${printable(JSON.stringify({ ok: isGood(findings), checks }))}\n`
}

/** Whether nothing failed. */
export function isGood(findings: readonly Finding[]): boolean {
  return findings.every(({ result }) => result !== 'failed')
}

/** Breaks a text into lines of `width` columns; each further line begins with `indent`. */
function wrap(text: string, indent: string, width = Number.POSITIVE_INFINITY): string {
  const room = Math.max(30, width - indent.length)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join(`\n${indent}`)
}

interface Group {
  readonly names: string[]
  /** The first finding. */
  readonly finding: Finding
}

/** Puts together neighbours that were skipped for the same cause. */
function grouped(findings: readonly Finding[]): Group[] {
  const groups: Group[] = []
  for (const finding of findings) {
    const last = groups.at(-1)
    const isSame =
      finding.result === 'skipped' &&
      last?.finding.result === 'skipped' &&
      last.finding.finding === finding.finding &&
      last.finding.remedy === finding.remedy
    if (isSame) last.names.push(finding.name)
    else groups.push({ names: [finding.name], finding })
  }
  return groups
}
