import { describe, test } from 'node:test'
import { limitCases } from '../support/limit-cases.ts'
import type { LimitCase, LimitStage } from '../support/limit-stage.ts'
import { createLimitedGate } from '../support/limited-gate.ts'

/** A pretended gate as the stage. */
function pretendStage({ sessionLimit = 'newest', grant }: LimitCase): LimitStage {
  const gate = createLimitedGate({ limit: { sessionLimit } })
  const addresses = new Map<string, string>()
  return {
    async wait(seconds) {
      gate.pass(seconds * 1_000)
    },
    viewer(player, address = 'home') {
      const own = addresses.get(address) ?? `192.0.2.${addresses.size + 1}`
      addresses.set(address, own)
      const viewer = gate.viewer(player, own)
      const asking = (link: string): void => gate.grants(grant?.(link) ?? { userId: '42', maxSessions: '1' })
      const target = (channel: string, link: string): string =>
        `/live/${channel}/index.m3u8?token=good-${link}`
      return {
        async open(channel, link = channel) {
          asking(link)
          return answerOf(await viewer.get(target(channel, link)))
        },
        async head(channel, link = channel) {
          asking(link)
          return answerOf(await viewer.head(target(channel, link)))
        },
        segment: async (channel) => answerOf(await viewer.segment(channel)),
      }
    },
  }
}

function answerOf(verdictAndReason: string): string {
  const [verdict = '', reason = ''] = verdictAndReason.split(' ')
  return verdict === 'allow' ? verdict : reason
}

describe('how many at once, by the pretended clock', () => {
  for (const one of limitCases) test(one.name, () => one.play(pretendStage(one)))
})
