import type { Asked, Backend } from './backend.ts'
import { hasGood } from './hostile-request.ts'
import type { Site } from './site.ts'

/**
 * Settings with which one address may ask all that a test asks at a time. A request that makes the backend
 * look unavailable is let in, so it shows.
 */
export const hostileEnvironment = {
  DEFAULT_ACTION: 'allow',
  BACKEND_CONCURRENCY: '1000',
  BACKEND_TIMEOUT: '2500ms',
}

/** The backend's rule: one of the parameters is exactly GOOD. The query begins at the first `?`. */
export const allowsOnlyGood: Backend['answer'] = ({ target }, response) => {
  response.writeHead(hasGood(target) ? 200 : 403).end()
}

/** What the backend was asked, by the client's address. */
export function questionsByAddress({ backend }: Site): ReadonlyMap<string, readonly Asked[]> {
  const questions = new Map<string, Asked[]>()
  for (const asked of backend.asked) {
    const address = asked.headers['X-Real-Ip'] ?? ''
    questions.set(address, [...(questions.get(address) ?? []), asked])
  }
  return questions
}

/** Runs `act` for every item, sixteen at a time. The results are in order. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<Result>,
  width = 16,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await act(items[index] as Item, index)
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  return results
}

/** How often each key occurs, as `a 3, b 1`. */
export function tally(keys: readonly (string | number)[]): string {
  const counts = new Map<string | number, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return Array.from(counts, ([key, count]) => `${key || 'no status'}: ${count}`)
    .sort()
    .join(', ')
}
