import { isLoopback, type ListenAddress } from '../../listen.ts'
import { lastOf, named } from './directive.ts'
import type { SiteMap } from './site-map.ts'

/** One server that nginx asks. */
export interface Target {
  readonly address: ListenAddress
  /** As nginx writes it. */
  readonly text: string
  /**
   * What follows it in the upstream, such as `max_fails=0`. Undefined when proxy_pass itself names the
   * address.
   */
  readonly parameters: readonly string[] | undefined
}

/** Reads an address as nginx writes it; undefined when it is a variable or of an unknown form. */
export function readTarget(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) return { kind: 'unix', path: text.slice('unix:'.length).replace(/:$/, '') }
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/$]+))(?::(\d{1,5}))?$/.exec(text)
  if (parts === null) return undefined
  return { kind: 'tcp', host: parts[1] ?? parts[2] ?? '', port: Number(parts[3] ?? 80) }
}

/** The host of a proxy_pass: `http://name/path`, `http://unix:/path:/uri`. */
export function hostOf(proxyPass: string): string {
  const rest = proxyPass.replace(/^https?:\/\//i, '')
  return rest.startsWith('unix:') ? (/^unix:[^:]+/.exec(rest)?.[0] ?? rest) : (rest.split('/')[0] ?? '')
}

/** All servers of the upstream with this name, or the one server that the name is. */
export function targetsOf({ http }: SiteMap, host: string): Target[] {
  const upstream = named(http, 'upstream').find(({ args }) => args[0] === host)
  const servers =
    upstream === undefined
      ? [{ text: host, parameters: undefined }]
      : named(upstream.block ?? [], 'server').map(({ args: [text = '', ...parameters] }) => ({
          text,
          parameters,
        }))
  return servers.flatMap(({ text, parameters }) => {
    const address = readTarget(text)
    return address === undefined ? [] : [{ address, text, parameters }]
  })
}

/** The gates that nginx asks, each once. */
export function gateTargets(map: SiteMap): Target[] {
  const passes = map.asking.flatMap(({ auth }) => lastOf(auth.directives, 'proxy_pass')?.args[0] ?? [])
  const targets = [...new Set(passes.map(hostOf))].flatMap((host) => targetsOf(map, host))
  return [...new Map(targets.map((target) => [target.text, target])).values()]
}

/** Whether a connection to `asked` reaches a gate that listens on `listening`. */
export function leadsTo(asked: ListenAddress, listening: ListenAddress): boolean {
  if (asked.kind === 'unix') return listening.kind === 'unix' && listening.path === asked.path
  if (asked.kind !== 'tcp' || listening.kind !== 'tcp' || asked.port !== listening.port) return false
  if (listening.host === '0.0.0.0' || listening.host === '::') return true
  const hosts = [asked.host, listening.host]
  // `localhost` may be 127.0.0.1 or ::1.
  return asked.host === listening.host || (hosts.includes('localhost') && hosts.every(isLoopback))
}
