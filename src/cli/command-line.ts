import { parseArgs } from 'node:util'
import { misspelt } from '../config/typos.ts'

/** What the command line asks for; a mistake is one sentence with the cure. */
export type CommandLine =
  | { readonly command: 'serve' | 'config' | 'help' | 'version' }
  | { readonly command: 'mistake'; readonly sentence: string }

const commands = ['serve', 'config'] as const

/** Reads the parameters that follow the program's name. Without a command the service is run. */
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
  const command = commands.find((one) => one === word)
  if (command === undefined) {
    const meant = misspelt(word, commands)
    return mistake(`"${word}" is no command${meant === undefined ? '' : `, did you mean ${meant}?`}`)
  }
  if (more.length > 0) return mistake(`"${command}" takes nothing more, but found "${more.join(' ')}"`)
  return { command }
}

function parse(parameters: readonly string[]) {
  return parseArgs({
    args: [...parameters],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
  })
}

function mistake(what: string): CommandLine {
  return { command: 'mistake', sentence: `${what}; see alta-auth --help` }
}
