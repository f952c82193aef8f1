import type { Backend } from './backend.ts'

/** A middleware that allows each token once: whoever asks again with it is denied. */
export interface OneTimeTokens {
  /** A new token for this user. With `most` the backend allows so many sessions at once, the newest. */
  issue(user: string, most?: number): string
  readonly answer: Backend['answer']
  /** How many tokens were asked about more than once. */
  repeated(): number
}

export function createOneTimeTokens(): OneTimeTokens {
  const fresh = new Map<string, { readonly user: string; readonly most: number | undefined }>()
  let issued = 0
  let repeated = 0
  return {
    issue(user, most) {
      const token = `${++issued}-${user}`
      fresh.set(token, { user, most })
      return token
    },
    answer({ target }, response) {
      const token = new URLSearchParams(target.split('?')[1] ?? '').get('token') ?? ''
      const one = fresh.get(token)
      if (one === undefined) {
        if (/^\d+-/.test(token)) repeated++
        response.writeHead(403).end()
        return
      }
      fresh.delete(token)
      response.writeHead(200, {
        'X-AuthDuration': '36000',
        'X-UserId': one.user,
        ...(one.most !== undefined && { 'X-Max-Sessions': String(one.most), 'X-Unique': 'true' }),
      })
      response.end()
    },
    repeated: () => repeated,
  }
}
