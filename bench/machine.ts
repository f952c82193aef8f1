import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { nginxProgram } from './start-nginx.ts'

/** The parts of the machine on which the figures depend: name → value. */
export function describeMachine(): Readonly<Record<string, string>> {
  const all = cpus()
  return {
    CPU: `${all[0]?.model.trim() ?? 'unknown'}, ${all.length} cores`,
    RAM: `${(totalmem() / 1_073_741_824).toFixed(0)} GiB`,
    Kernel: release(),
    System: find(readFileSync('/etc/os-release', 'utf8'), /^PRETTY_NAME="(.*)"$/m),
    'Node.js': process.versions.node,
    nginx: find(said(nginxProgram, '-v'), /nginx\/(\S+)/),
    'Lua module': packageVersion('libnginx-mod-http-lua'),
    'njs module': packageVersion('libnginx-mod-http-js'),
    wrk: find(said('wrk', '-v'), /^wrk (\S+)/m),
    Date: new Date().toISOString().slice(0, 10),
  }
}

function packageVersion(name: string): string {
  return find(said('dpkg-query', '-W', name), /\t(\S+)$/m)
}

/** What a program prints about its version: some print it on stdout, others on stderr. */
function said(program: string, ...parameters: string[]): string {
  const { stdout, stderr } = spawnSync(program, parameters, { encoding: 'utf8' })
  return `${stdout ?? ''}${stderr ?? ''}`
}

function find(text: string, pattern: RegExp): string {
  return pattern.exec(text)?.[1] ?? 'unknown'
}
