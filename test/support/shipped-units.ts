import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** The folder of the units as they ship. */
const shipped = fileURLToPath(new URL('../../systemd', import.meta.url))

/** The path of the program that runs the gate. */
export const shippedNode = '/usr/bin/node'

/** The text of a unit, such as `alta-auth.service`. */
export function readUnit(name: string): string {
  return readFileSync(join(shipped, name), 'utf8')
}

/** The value of the first line `setting=` of a unit. */
export function valueIn(unit: string, setting: string): string | undefined {
  return new RegExp(`^${setting}=(.*)$`, 'm').exec(readUnit(unit))?.[1]
}

/**
 * A folder with all units. systemd needs a program that exists, and Node may be elsewhere on this machine.
 */
export function layOutUnits(scope: Scope): string {
  const folder = makeTemporaryFolder(scope)
  for (const name of readdirSync(shipped)) {
    const path = join(folder, name)
    if (!name.endsWith('.service')) copyFileSync(join(shipped, name), path)
    else
      writeFileSync(
        path,
        readUnit(name).replace(`ExecStart=${shippedNode} `, `ExecStart=${process.execPath} `),
      )
  }
  return folder
}

/** Runs systemd-analyze. */
export function analyzeUnits(...parameters: readonly string[]) {
  return spawnSync('systemd-analyze', parameters, {
    encoding: 'utf8',
    env: { ...process.env, SYSTEMD_COLORS: '0' },
  })
}

/** How far systemd-analyze finds a service exposed: 0 is safe, 10 is exposed. */
export function exposureOf(file: string): number {
  const { stdout } = analyzeUnits('security', '--offline=true', file)
  return Number(/^→ Overall exposure level for \S+: ([\d.]+)/m.exec(stdout)?.[1])
}
