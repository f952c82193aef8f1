#!/usr/bin/env node
import { config as readDotenv } from 'dotenv'
import { readCommandLine } from './cli/command-line.ts'
import { MISTAKEN } from './cli/exit-codes.ts'
import { help } from './cli/help.ts'
import { showSettings } from './cli/show-settings.ts'
import { readSettings } from './config/read-settings.ts'
import { readVersion } from './version.ts'

const asked = readCommandLine(process.argv.slice(2))
switch (asked.command) {
  case 'help':
    process.stdout.write(help)
    break
  case 'version':
    process.stdout.write(`${readVersion()}\n`)
    break
  case 'mistake':
    giveUp(asked.sentence)
    break
  case 'check': {
    readDotenv({ quiet: true })
    const { check } = await import('./cli/check.ts')
    await check(process.env, asked.json)
    break
  }
  case 'config':
  case 'explain':
  case 'serve': {
    const { parsed: fromFile = {} } = readDotenv({ quiet: true })
    const result = readSettings(process.env)
    if (asked.command === 'config') process.stdout.write(showSettings(process.env, fromFile))
    if (!result.ok) {
      const count = result.problems.length === 1 ? '1 problem' : `${result.problems.length} problems`
      giveUp(`${count} in the settings (environment or .env):`, ...result.problems.map((one) => `  - ${one}`))
    } else if (asked.command === 'serve') {
      // Loaded only here: this loads the whole service, and the other commands should start fast.
      const { serve } = await import('./cli/serve.ts')
      await serve(result.settings, process.env)
    } else if (asked.command === 'explain') {
      const { explain } = await import('./cli/explain.ts')
      await explain(result.settings, asked.asked)
    }
  }
}

function giveUp(...lines: readonly string[]): void {
  process.stderr.write(`alta-auth: ${lines.join('\n')}\n`)
  process.exitCode = MISTAKEN
}
