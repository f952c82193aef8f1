import type { Action } from './page-server.ts'

/** The settings of the demo. */
export interface DemoSettings {
  /** The ports that are tried first: site, backend, gate, the gate's admin listener, page server. */
  readonly ports: readonly [number, number, number, number, number]
  readonly defaultAction: Action
}

/**
 * Reads the settings. `DEMO_PORT` is the port of the page; the other ports follow it. `DEFAULT_ACTION` is
 * that of the gate at the start.
 * @throws Error with a sentence for the person who set them
 */
export function readDemoSettings(environment: Readonly<Record<string, string | undefined>>): DemoSettings {
  const { DEMO_PORT: text, DEFAULT_ACTION: defaultAction = 'deny' } = environment
  if (defaultAction !== 'allow' && defaultAction !== 'deny') {
    throw new Error(`DEFAULT_ACTION is "${defaultAction}": set it to allow or deny.`)
  }
  if (text === undefined || text === '') return { ports: [8080, 6000, 9180, 9181, 6001], defaultAction }
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_500) {
    throw new Error(`DEMO_PORT is "${text}": set it to a port from 1 to 65500.`)
  }
  return { ports: [port, port + 1, port + 2, port + 3, port + 4], defaultAction }
}
