import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '../../src/config/read-settings.ts'
import { isUser } from '../../src/limit/terms.ts'
import { channelFiles } from './channel-files.ts'
import { send } from './http-get.ts'
import type { Answer, LimitCase, LimitStage } from './limit-stage.ts'
import type { Scope } from './scope.ts'
import { type Site, startSite } from './site.ts'

/** Behind the real nginx, in real time. Its cases do not meet: each has users and addresses of its own. */
export interface LimitSite extends Site {
  stage(scope: Scope, one: LimitCase): LimitStage
}

const channels = ['news', 'sports', 'film', ...Array.from({ length: 10 }, (_, n) => `ch${n}`)]

export async function startLimitSite(
  scope: Scope,
  environment: Environment,
  verdictCache = false,
): Promise<LimitSite> {
  const site = await startSite(scope, {
    environment: { ALLOW_TTL: 'session', ...environment },
    nginx: {
      verdictCache,
      files: channelFiles(channels, 2),
      server: 'location / { LOCATION add_header X-Reason $alta_auth_reason always; }',
    },
  })
  const cases: LimitCase[] = []
  site.backend.answer = ({ target }, response) => {
    const [, number = '', link = ''] = /token=(\d+)\.(.*)/.exec(target) ?? []
    const one = cases[Number(number)]
    if (one === undefined || number === '') return void response.writeHead(403).end()
    const { userId = '', maxSessions, unique } = one.grant?.(link) ?? { userId: '42', maxSessions: '1' }
    response.writeHead(200, {
      'X-UserId': isUser(userId) ? `${number}-${userId}` : userId,
      ...(maxSessions === undefined ? {} : { 'X-Max-Sessions': maxSessions }),
      ...(unique === undefined ? {} : { 'X-Unique': unique }),
    })
    response.end()
  }
  return {
    ...site,
    stage(scope, one) {
      const number = cases.push(one) - 1
      const addresses = ['home']
      return {
        wait: (seconds) => delay(seconds * 1_000),
        viewer(player, address = 'home') {
          if (!addresses.includes(address)) addresses.push(address)
          const localAddress = `127.7.${number + 1}.${addresses.indexOf(address) + 1}`
          const agent = new Agent({ keepAlive: true, localAddress })
          scope.after(() => agent.destroy())
          const ask = async (method: string, target: string): Promise<Answer> => {
            const from = { port: site.nginx.port, agent }
            const { status, headers } = await send(from, method, target, {
              // One site, whichever nginx it comes to.
              ...{ Host: 'live.example.com', 'User-Agent': player },
            })
            return status === 200 ? 'allow' : String(headers['x-reason'])
          }
          const playlist = (channel: string, link: string): string =>
            `/live/${channel}/index.m3u8?token=${number}.${link}`
          return {
            open: (channel, link = channel) => ask('GET', playlist(channel, link)),
            head: (channel, link = channel) => ask('HEAD', playlist(channel, link)),
            segment: (channel) => ask('GET', `/live/${channel}/1.ts`),
          }
        },
      }
    },
  }
}
