import { Agent } from 'node:http'
import { type GetAnswer, get } from './http-get.ts'
import type { Nginx } from './nginx.ts'
import type { Scope } from './scope.ts'
import { newViewer } from './site.ts'

/** A player that keeps cookies, and may change its address in mid-play. */
export interface CookiePlayer {
  readonly userAgent: string
  /** The value that it has now; undefined = none. */
  cookie: string | undefined
  /** nginx's own address, and the player's. */
  host: string
  from: string | undefined
  /** Asks for a target; the result is the status. */
  get(target: string, headers?: Readonly<Record<string, string>>): Promise<number>
  /** As `get`, with all of the answer. */
  fetch(target: string, headers?: Readonly<Record<string, string>>): Promise<GetAnswer>
}

export interface CookiePlayerOptions {
  readonly userAgent?: string
  readonly from?: string
  readonly cookie?: string | undefined
  /** False: it ignores what it is given, as most boxes do. */
  readonly keepsCookies?: boolean
}

export function createCookiePlayer(
  scope: Scope,
  nginx: Pick<Nginx, 'port'>,
  options: CookiePlayerOptions = {},
): CookiePlayer {
  const { userAgent = newViewer(), keepsCookies = true } = options
  const agents = new Map<string, Agent>()
  scope.after(() => {
    for (const agent of agents.values()) agent.destroy()
  })
  const agentFor = (host: string, localAddress: string | undefined): Agent => {
    const key = `${host} ${localAddress}`
    const known = agents.get(key)
    if (known !== undefined) return known
    const agent = new Agent({ keepAlive: true, ...(localAddress !== undefined && { localAddress }) })
    agents.set(key, agent)
    return agent
  }
  const player: CookiePlayer = {
    userAgent,
    cookie: options.cookie,
    host: '127.0.0.1',
    from: options.from,
    async fetch(target, headers = {}) {
      const { host, from, cookie } = player
      const answer = await get({ host, port: nginx.port, agent: agentFor(host, from) }, target, {
        'User-Agent': userAgent,
        Host: 'localhost',
        ...(cookie !== undefined && { Cookie: `lang=en; alta_auth=${cookie}` }),
        ...headers,
      })
      const given = cookieIn(answer)
      if (given !== undefined && keepsCookies) player.cookie = given
      return answer
    },
    async get(target, headers) {
      return (await player.fetch(target, headers)).status
    },
  }
  return player
}

/** The value of the session cookie that an answer sets. */
export function cookieIn({ headers }: GetAnswer): string | undefined {
  const all = [headers['set-cookie'] ?? []].flat()
  return all.flatMap((text) => /^alta_auth=([\w-]{22}); Path=\/;/.exec(text)?.[1] ?? [])[0]
}
