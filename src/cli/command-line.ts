import { parseArgs } from 'node:util'
import { misspelt } from '../config/typos.ts'

/** What the command line asks for. A mistake is one sentence with the cure. */
type CommandLine =
  | { readonly command: 'serve' | 'config' | 'help' | 'version' }
  | { readonly command: 'check'; readonly json: boolean }
  | { readonly command: 'explain'; readonly asked: AskedToExplain }
  | { readonly command: 'mistake'; readonly sentence: string }

/** The parameters of `explain`. */
export interface AskedToExplain {
  readonly url: string
  readonly ip: string
  readonly ua: string
  readonly playbackId: string
  /** Ask the backend from here, not the running gate. */
  readonly direct: boolean
  readonly json: boolean
}

const options = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  json: { type: 'boolean' },
  direct: { type: 'boolean' },
  ip: { type: 'string' },
  ua: { type: 'string' },
  'playback-id': { type: 'string' },
} as const

type Option = keyof typeof options

/** The commands, and which options each has. */
const commands: Readonly<Record<'serve' | 'config' | 'check' | 'explain', readonly Option[]>> = {
  serve: [],
  config: [],
  check: ['json'],
  explain: ['ip', 'ua', 'playback-id', 'direct', 'json'],
}
type Command = keyof typeof commands

const names = Object.keys(commands) as readonly Command[]

/** Reads the parameters behind the program's name. Without a command the service runs. */
export function readCommandLine(parameters: readonly string[]): CommandLine {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(parameters)
  } catch (error) {
    return mistake(error instanceof Error ? (error.message.split('.')[0] ?? '') : String(error))
  }
  const { values, positionals } = parsed
  if (values.help === true) return { command: 'help' }
  if (values.version === true) return { command: 'version' }
  const [word = 'serve', ...more] = positionals
  if (word === 'help') return { command: 'help' }
  const command = names.find((one) => one === word)
  if (command === undefined) {
    const meant = misspelt(word, names)
    return mistake(`"${word}" is no command${meant === undefined ? '' : `, did you mean ${meant}?`}`)
  }
  const stray = (Object.keys(values) as Option[]).find((option) => !commands[command].includes(option))
  if (stray !== undefined) return mistake(`"${command}" has no option --${stray}`)
  if (command === 'explain') return readExplain(values, more)
  if (more.length > 0) return mistake(`"${command}" takes nothing more, but found "${more.join(' ')}"`)
  if (command === 'check') return { command, json: values.json === true }
  return { command }
}

function readExplain(values: ReturnType<typeof parse>['values'], more: readonly string[]): CommandLine {
  const [url, ...stray] = more
  if (url === undefined) {
    return mistake('"explain" needs the URL that the player asks for, in quotes')
  }
  if (stray.length > 0) return mistake(`"explain" takes one URL, in quotes, but found "${more.join(' ')}"`)
  const { ip = '127.0.0.1', ua = '', 'playback-id': playbackId = '', direct = false, json = false } = values
  return { command: 'explain', asked: { url, ip, ua, playbackId, direct, json } }
}

function parse(parameters: readonly string[]) {
  return parseArgs({ args: [...parameters], allowPositionals: true, options })
}

function mistake(what: string): CommandLine {
  return { command: 'mistake', sentence: `${what}; see alta-auth --help` }
}
