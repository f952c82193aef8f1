import type { Backend } from './backend.ts'

/** Allows exactly the questions with `token=…`. */
export function hasToken(token: string): Backend['answer'] {
  return ({ target }, response) => {
    const allowed = new URLSearchParams(target.split('?')[1] ?? '').get('token') === token
    response.writeHead(allowed ? 200 : 403).end()
  }
}
