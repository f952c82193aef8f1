import { GOOD_TOKEN, playlist, userAgentOf, type ViewerRequest } from './audience.ts'

/** New viewers who come at the same time, all to the same channel. */
export interface Crowd {
  readonly name: string
  viewer(number: number): ViewerRequest
}

/** Each of these addresses lies in a network of its own. */
const NATS = 200

/** The crowds of the kick-off. */
export const crowds: readonly Crowd[] = [
  {
    name: 'each from an address of their own',
    viewer: (number) => ({
      path: pathOf(number),
      userAgent: userAgentOf(number),
      address: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
    }),
  },
  {
    name: `from ${NATS} addresses, told apart by User-Agent`,
    viewer: (number) => ({
      path: pathOf(number),
      userAgent: `${userAgentOf(number)} viewer/${Math.floor(number / NATS)}`,
      address: `100.64.${number % NATS}.1`,
    }),
  },
]

function pathOf(number: number): string {
  return playlist(0, `${GOOD_TOKEN}${number}`)
}
