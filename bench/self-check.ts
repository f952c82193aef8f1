import { get } from '../test/support/http-get.ts'
import { BAD_TOKEN, GOOD_TOKEN, playlist, type ViewerRequest } from './audience.ts'
import type { Contender, Running } from './contenders/contender.ts'
import type { Grounds } from './grounds.ts'
import { sendAll } from './send-all.ts'

/**
 * Checks a contender before it is measured: it must ask the backend who may watch, remember the answer if it
 * takes part in the hits, and use it for no other viewer.
 * @throws when it did something else
 */
export async function selfCheck(contender: Contender, running: Running, grounds: Grounds): Promise<void> {
  const countAsked = async (): Promise<number> => Number((await get(grounds.backend, '/asked')).body)

  const expect = async (
    what: string,
    viewer: ViewerRequest,
    status: number,
    questions: number,
  ): Promise<void> => {
    const before = await countAsked()
    const [seen] = await sendAll(running.port, [viewer])
    const asked = (await countAsked()) - before
    if (seen === status && asked === questions) return
    throw new Error(
      `${contender.letter} (${contender.name}) is not correct: ${what} got ${seen} after ${asked} questions to the backend, ` +
        `not ${status} after ${questions}\n${running.errorLog()}`,
    )
  }

  // Each check uses a channel of its own, so that no other check meets what the contender remembers of it.
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
  const questionsAgain = contender.works.includes('hits') ? 0 : 1
  await expect('a good token', known, 200, 1)
  await expect('the same again', known, 200, questionsAgain)
  await expect('another address', { ...known, address: '172.18.0.2' }, 200, 1)
  await expect('another User-Agent', { ...known, userAgent: 'check 2' }, 200, 1)
  await expect('another host', { ...known, host: 'other.example.com' }, 200, 1)
  await expect('another channel', { ...known, path: playlist(1, `${GOOD_TOKEN}-check`) }, 200, 1)
  await expect('a bad token', { ...known, path: playlist(0, `${BAD_TOKEN}-check`) }, 403, 1)
  await expect(
    'the bad token again',
    { ...known, path: playlist(0, `${BAD_TOKEN}-check`) },
    403,
    questionsAgain,
  )
  const own = { ...known, path: playlist(2, `for-${address}`) }
  await expect('a token for this address', own, 200, 1)
  await expect('that token from another address', { ...own, address: '172.18.0.2' }, 403, 1)
}
