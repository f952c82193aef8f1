// What a session cookie costs a hit: npm run measure:cookies [-- rounds]
// The viewers of the hits play at three sites in turn: without cookie.conf, with it and their cookies, and
// with it and no cookies. Two seconds each.

import { request } from 'node:http'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { audience, HOST, type ViewerRequest, wireOf } from './audience.ts'
import type { Contender } from './contenders/contender.ts'
import { patientSettings } from './contenders/patient-settings.ts'
import { startShippedSite } from './contenders/shipped-site.ts'
import { CONNECTIONS, createGenerator } from './generator.ts'
import { prepareGrounds } from './grounds.ts'
import { measure } from './measure.ts'
import { median } from './median.ts'
import { runInScope } from './run-in-scope.ts'
import { sendAll } from './send-all.ts'
import { shuffle } from './shuffle.ts'
import type { Entrant } from './stage.ts'
import { startGate } from './start-gate.ts'

const SECONDS = 2
const rounds = Number(process.argv[2] ?? 10)

const sites = ['off', 'on', 'on, without cookies'] as const
type SiteName = (typeof sites)[number]

/** Asks for a playlist; resolves with the cookie that it brings. */
function open(port: number, { path, userAgent, address }: ViewerRequest): Promise<string> {
  const headers = { Host: HOST, 'User-Agent': userAgent, 'X-Forwarded-For': address }
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers }, (response) => {
      response.resume()
      const given = /^alta_auth=([\w-]{22});/.exec(response.headers['set-cookie']?.[0] ?? '')?.[1]
      if (given === undefined) reject(new Error(`no cookie for ${path} (${response.statusCode})`))
      else resolve(given)
    })
      .on('error', reject)
      .end()
  })
}

const withCookie = (wire: string, cookie: string): string =>
  wire.replace('\r\n\r\n', `\r\nCookie: lang=en; alta_auth=${cookie}\r\n\r\n`)

await runInScope(async (scope) => {
  const grounds = await prepareGrounds(scope)
  const { playlists, segments } = audience()

  const start = async (name: SiteName) => {
    const isOn = name !== 'off'
    const slug = name.replaceAll(/\W+/g, '-')
    const listens = join(grounds.folder, `${slug}.sock`)
    const gate = await startGate(scope, {
      ...{ name: `gate-${slug}`, folder: grounds.folder, backend: grounds.backend.port, listens },
      env: { ...patientSettings, SESSION_COOKIE: isOn ? 'on' : 'off' },
    })
    const site = await startShippedSite(scope, grounds, { name: slug, gates: [listens], cookies: isOn })
    const cookies = new Map<string, string>()
    if (isOn) for (const one of playlists) cookies.set(one.address, await open(site.port, one))
    else await sendAll(site.port, playlists)
    await sendAll(site.port, segments)
    const known = shuffle(
      [...playlists, ...segments].map((one) => {
        const cookie = cookies.get(one.address)
        return name === 'on' && cookie !== undefined ? withCookie(wireOf(one), cookie) : wireOf(one)
      }),
    )
    const generator = createGenerator(scope, grounds.folder, { known, newcomers: [], every: 0 })
    const contender: Contender = {
      ...{ letter: slug, name, what: name, judges: false, works: ['hits'] },
      start: () => Promise.reject(new Error('it runs already')),
    }
    const running = { port: site.port, nginx: site.pid, gates: [gate], errorLog: site.errorLog }
    return { name, generator, entrant: { contender, running } satisfies Entrant }
  }

  const started = [await start(sites[0]), await start(sites[1]), await start(sites[2])]
  const runs = new Map(
    sites.map((name) => [name, [] as { perSecond: number; gate: number; nginx: number }[]]),
  )
  for (let round = 0; round <= rounds; round++)
    for (const { name, generator, entrant } of started) {
      const load = { generator, status: 200 as const, connections: CONNECTIONS, seconds: SECONDS }
      const { perSecond, cpu } = await measure(entrant, grounds, load)
      // The first round only warms up.
      if (round > 0) runs.get(name)?.push({ perSecond, gate: cpu.gate * 10, nginx: cpu.nginx * 10 })
    }

  console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node.js ${process.versions.node}`)
  console.log(`medians of ${rounds} rounds of ${SECONDS} s; CPU in microseconds for each hit`)
  for (const [name, all] of runs) {
    const of = (part: 'perSecond' | 'gate' | 'nginx'): number => median(all.map((run) => run[part]))
    const hits = Math.round(of('perSecond')).toLocaleString('en')
    console.log(
      `${name}: ${hits} hits a second, gate ${of('gate').toFixed(1)}, nginx ${of('nginx').toFixed(1)}`,
    )
  }
})
