import assert from 'node:assert/strict'
import { until } from '../until.ts'
import { assertOutput } from './expected-output.ts'
import { type Block, is } from './pages.ts'
import { runElsewhere } from './run-elsewhere.ts'
import type { Ran, Stage } from './stage.ts'

/** How long a command that waits for a log line is repeated, in milliseconds. */
const PATIENCE = 10_000

/** The commands of a script, without comments. */
export function commandsOf({ text }: Block): string[] {
  return text.split('\n').map((line) => line.replace(/\s+#.*$/, '').trim())
}

/**
 * Follows a page as its reader does, block by block: writes its files, runs its commands, compares their
 * output. Each block of a page finds everything as the blocks before it left it. The result rejects when
 * something is not as the page says.
 */
export function createReading(stage: Stage): (block: Block) => Promise<void> {
  let ran: Ran | undefined
  /** Runs the last command once more, when it waits for something. */
  let again: (() => Promise<Ran>) | undefined

  const readSite = async ({ place, text }: Block): Promise<void> => {
    stage.writeSite(text)
    const { code, stderr } = await stage.testSite()
    assert.ok(code === 0 && !/\[(?:warn|emerg|error)\]/.test(stderr), `${place}: ${stderr}`)
  }

  const readScript = async (block: Block): Promise<void> => {
    const { place, words, text } = block
    const elsewhere = commandsOf(block).map((command) => command in runElsewhere)
    if (elsewhere.every((one) => one)) return
    assert.ok(!elsewhere.includes(true), `${place}: what is run elsewhere needs a block of its own`)
    const world = { backend: !words.includes('backend-stopped'), gate: !words.includes('gate-stopped') }
    const run = (): Promise<Ran> => stage.run(text, world)
    ran = await run()
    again = words.includes('eventually') ? run : undefined
    if (words.includes('fails')) assert.notEqual(ran.code, 0, place)
    else if (again === undefined) assert.equal(ran.code, 0, `${place}: ${ran.stdout}${ran.stderr}`)
  }

  const readOutput = async ({ place, language, text }: Block): Promise<void> => {
    assert.ok(ran !== undefined, `${place}: no command stands before it`)
    const check = ({ code, stdout, stderr }: Ran): void =>
      assertOutput(language, text, code === 0 ? stdout : stderr + stdout, place)
    const repeat = again
    if (repeat === undefined) return check(ran)
    const matches = async (): Promise<boolean> => {
      try {
        check(await repeat())
        return true
      } catch {
        return false
      }
    }
    // The error of the last attempt is the one to report.
    await until(place, matches, PATIENCE).catch(async () => check(await repeat()))
  }

  return async (block) => {
    if (is(block, 'nginx', 'site')) await readSite(block)
    else if (is(block, 'php')) stage.writeFile(block.words[0] ?? '', block.text)
    else if (is(block, 'sh', 'service')) await stage.startBackend(block.text)
    else if (is(block, 'sh')) await readScript(block)
    else if (block.words.includes('output')) await readOutput(block)
  }
}
