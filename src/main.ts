#!/usr/bin/env node
import { config as readDotenv } from 'dotenv'
import { readCommandLine } from './cli/command-line.ts'
import { MISTAKEN } from './cli/exit-codes.ts'
import { help } from './cli/help.ts'
import { showSettings } from './cli/show-settings.ts'
import { findSettings } from './config/find-settings.ts'
import { type Environment, readSettings, type Settings } from './config/read-settings.ts'
import { readVersion } from './package.ts'

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
    const { check } = await import('./cli/check.ts')
    await check(findSettings(process.env), asked.json)
    break
  }
  case 'config':
  case 'explain': {
    const found = findSettings(process.env)
    if (found.unreadable !== undefined) {
      giveUp(`${found.unreadable.finding}; ${found.unreadable.remedy}`)
      break
    }
    if (asked.command === 'config') process.stdout.write(showSettings(found))
    const settings = settingsOf(found.environment, found.file)
    if (asked.command === 'explain' && settings !== undefined) {
      if (found.file !== undefined) process.stderr.write(`alta-auth: settings from ${found.place}\n`)
      const { explain } = await import('./cli/explain.ts')
      await explain(settings, asked.asked)
    }
    break
  }
  case 'serve': {
    readDotenv({ quiet: true })
    const settings = settingsOf(process.env)
    if (settings === undefined) break
    // Loaded only here: this loads the whole service, and the other commands should start fast.
    const { serve } = await import('./cli/serve.ts')
    await serve(settings, process.env)
  }
}

/** Undefined when they are wrong, which it has told then. */
function settingsOf(environment: Environment, file = '.env'): Settings | undefined {
  const result = readSettings(environment)
  if (result.ok) return result.settings
  const count = result.problems.length === 1 ? '1 problem' : `${result.problems.length} problems`
  giveUp(`${count} in the settings (environment or ${file}):`, ...result.problems.map((one) => `  - ${one}`))
  return undefined
}

function giveUp(...lines: readonly string[]): void {
  process.stderr.write(`alta-auth: ${lines.join('\n')}\n`)
  process.exitCode = MISTAKEN
}
