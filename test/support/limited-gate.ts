import type { Subrequest } from '../../src/subrequest.ts'
import type { Decision, Grant } from '../../src/verdict.ts'
import {
  clientRequest,
  createPretendGate,
  type PretendGate,
  type PretendGateOptions,
} from './pretend-gate.ts'
import type { PretendLimitSettings } from './pretend-limit.ts'

export interface LimitedGateOptions
  extends Pick<
    PretendGateOptions,
    'idle' | 'lifetimes' | 'channelPattern' | 'shared' | 'newSessionId' | 'store' | 'onCookie'
  > {
  readonly limit?: PretendLimitSettings
  /** What the backend sends with each allow; a user with one session unless given. */
  readonly grant?: Grant
}

/** A pretend gate with a limit. Its backend allows what has a token that begins with `good`. */
export interface LimitedGate extends PretendGate {
  /** The grant of the next allows. */
  grants(grant: Grant): void
  /** A viewer at an address, by the name of their player. */
  viewer(player: string, address?: string): LimitedViewer
}

export interface LimitedViewer {
  /** Asks for a target; the result is `verdict reason`. */
  get(target: string): Promise<string>
  head(target: string): Promise<string>
  /** The playlist of a channel, with a token of this player's own unless given. */
  open(channel: string, token?: string): Promise<string>
  /** A segment of a channel, without a token. */
  segment(channel: string): Promise<string>
}

export function createLimitedGate(options: LimitedGateOptions = {}): LimitedGate {
  const { limit = {}, ...rest } = options
  const gate = createPretendGate({ limit, lifetimes: { allow: 'session' }, ...rest })
  let grant: Grant = options.grant ?? { userId: '42', maxSessions: '1' }
  gate.answers(({ query }) =>
    /(?:^|&)token=good/.test(query)
      ? { kind: 'allow', backend: 'pretend', grant }
      : { kind: 'deny', backend: 'pretend', status: 403 },
  )
  return {
    ...gate,
    grants(next) {
      grant = next
    },
    viewer(player, address = '192.0.2.1') {
      const ask = async (target: string, more: Partial<Subrequest> = {}): Promise<string> =>
        shortly(await gate.decide(clientRequest(target, { userAgent: player, address, ...more })))
      return {
        get: (target) => ask(target),
        head: (target) => ask(target, { isHead: true }),
        open: (channel, token = `good-${player}`) => ask(`/live/${channel}/index.m3u8?token=${token}`),
        segment: (channel) => ask(`/live/${channel}/1.ts`),
      }
    },
  }
}

function shortly({ verdict, reason }: Decision): string {
  return `${verdict} ${reason}`
}
