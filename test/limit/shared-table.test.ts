import { describe, test } from 'node:test'
import { limitCases } from '../support/limit-cases.ts'
import type { LimitCase, LimitStage } from '../support/limit-stage.ts'
import { createSharedGates } from '../support/shared-gates.ts'

/** Two gates as the stage: each viewer stays at one, and the next viewer comes to the other one. */
function sharedStage({ sessionLimit = 'newest', grant }: LimitCase): LimitStage {
  const gates = createSharedGates({ limit: { sessionLimit } })
  const addresses = new Map<string, string>()
  let viewers = 0
  return {
    // One report, in place of a look every five seconds.
    later: 30,
    wait: (seconds) => gates.pass(seconds * 1_000),
    viewer(player, address = 'home') {
      const own = addresses.get(address) ?? `192.0.2.${addresses.size + 1}`
      addresses.set(address, own)
      const gate = gates.all[viewers++ % gates.all.length] ?? gates.all[0]
      if (gate === undefined) throw new Error('there is no gate')
      const viewer = gate.viewer(player, own)
      const target = (channel: string, link: string): string => {
        gate.grants(grant?.(link) ?? { userId: '42', maxSessions: '1' })
        return `/live/${channel}/index.m3u8?token=good-${link}`
      }
      /** Messages between the gates take some milliseconds. */
      const answer = async (asked: Promise<string>): Promise<string> => {
        const [verdict = '', reason = ''] = (await asked).split(' ')
        await gates.pass(25)
        return verdict === 'allow' ? verdict : reason
      }
      return {
        open: (channel, link = channel) => answer(viewer.get(target(channel, link))),
        head: (channel, link = channel) => answer(viewer.head(target(channel, link))),
        segment: (channel) => answer(viewer.segment(channel)),
      }
    },
  }
}

describe('how many at once, each viewer at another gate than the last', () => {
  for (const one of limitCases) test(one.name, () => one.play(sharedStage(one)))
})
