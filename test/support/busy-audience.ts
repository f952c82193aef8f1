import type { Backend } from './backend.ts'
import type { AskOnLine } from './gate-lines.ts'

const channels = ['news', 'sport-1', 'sport-2', 'cinema', 'kids', 'nature', 'music', 'history']
const players = [
  'VLC/3.0.21 LibVLC/3.0.21',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
  'AppleCoreMedia/1.0.0.22B83 (Apple TV; U; CPU OS 18_1 like Mac OS X; en_us)',
  'Kodi/21.1 (Linux; Android 12.0; BRAVIA 4K UR2) Version/21.1-(21.1.0)',
  'ExoPlayerLib/2.19.1',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
]
const people = [
  'anna',
  'bruno',
  'clara',
  'dimitri',
  'elena',
  'farid',
  'greta',
  'hugo',
  'irina',
  'jonas',
  'katja',
  'lena',
]

/** Allows a token that begins with a name, and sends the name as `X-UserId`. Denies all others. */
export const namesOrNobody: Backend['answer'] = ({ target }, response) => {
  const token = new URLSearchParams(target.split('?')[1] ?? '').get('token') ?? ''
  if (people.includes(token.split('-')[0] ?? '')) response.writeHead(200, { 'X-UserId': token }).end()
  else response.writeHead(403).end()
}

/** Number n of a made-up audience, always the same. */
export function viewer(number: number) {
  const pick = (list: readonly string[], step: number): string => list[(number * step) % list.length] ?? ''
  const channel = pick(channels, 5)
  return {
    channel,
    user: `${pick(people, 7)}-${100 + number}`,
    address: `198.${51 + (number >> 14)}.${(number >> 7) & 127}.${1 + (number & 127)}`,
    userAgent: pick(players, 1),
    origin: 'https://live.example.com',
  }
}

/** The first request of a viewer, with a token. The result is its session. */
export async function openSession(ask: AskOnLine, number: number): Promise<string> {
  const { channel, user, ...rest } = viewer(number)
  const { status, sessionId } = await ask({ ...rest, uri: `/live/${channel}/index.m3u8?token=${user}` })
  if (status !== 200) throw new Error(`viewer ${number} got ${status}`)
  return sessionId
}

/** A segment without a token. */
export async function playOn(ask: AskOnLine, number: number): Promise<void> {
  const { channel, user: _user, ...rest } = viewer(number)
  await ask({ ...rest, uri: `/live/${channel}/${number}.ts` })
}
