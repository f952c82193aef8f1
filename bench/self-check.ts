import { get } from '../test/support/http-get.ts'
import { BAD_TOKEN, GOOD_TOKEN, playlist, type ViewerRequest } from './audience.ts'
import type { Contender, Running } from './contenders/contender.ts'
import type { Grounds } from './grounds.ts'
import { sendAll } from './send-all.ts'

/**
 * What a contender must do before its speed means anything: ask the backend who may watch, remember the answer, and give it to nobody else.
 * @throws with what it did instead.
 */
export async function selfCheck(contender: Contender, running: Running, grounds: Grounds): Promise<void> {
  const told = async (): Promise<number> => Number((await get(grounds.backend, '/asked')).body)

  const expect = async (
    what: string,
    viewer: ViewerRequest,
    status: number,
    questions: number,
  ): Promise<void> => {
    const before = await told()
    const [seen] = await sendAll(running.port, [viewer])
    const asked = (await told()) - before
    if (seen === status && asked === questions) return
    throw new Error(
      `${contender.letter} (${contender.name}) is not correct: ${what} got ${seen} after ${asked} questions to the backend, ` +
        `not ${status} after ${questions}\n${running.errorLog()}`,
    )
  }

  // Each check has a channel of its own in a contender's memory: nothing of it is met again.
  const address = '172.18.0.1'
  const known = {
    path: playlist(0, `${GOOD_TOKEN}-check`),
    userAgent: 'check',
    address,
    host: 'check.example.com',
  }
  if (!contender.judges) {
    await expect('any viewer', known, 200, 0)
    return
  }
  await expect('a good token', known, 200, 1)
  await expect('the same again', known, 200, 0)
  await expect('another address', { ...known, address: '172.18.0.2' }, 200, 1)
  await expect('another User-Agent', { ...known, userAgent: 'check 2' }, 200, 1)
  await expect('another host', { ...known, host: 'other.example.com' }, 200, 1)
  await expect('another channel', { ...known, path: playlist(1, `${GOOD_TOKEN}-check`) }, 200, 1)
  await expect('a bad token', { ...known, path: playlist(0, `${BAD_TOKEN}-check`) }, 403, 1)
  await expect('the bad token again', { ...known, path: playlist(0, `${BAD_TOKEN}-check`) }, 403, 0)
  const own = { ...known, path: playlist(2, `for-${address}`) }
  await expect('a token for this address', own, 200, 1)
  await expect('that token from another address', { ...own, address: '172.18.0.2' }, 403, 1)
}
