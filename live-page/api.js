import { plain } from './format.js'

/** An answer with an error status. The message is the gate's sentence when it has sent one. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/**
 * The admin API of the gate that this page comes from. All methods throw an {@link ApiError} when the gate
 * refuses, and a TypeError when it cannot be reached.
 * @param {import('./token.js').Token} token
 */
export function createApi(token) {
  /**
   * @param {string} path
   * @param {RequestInit} [options]
   */
  const ask = async (path, options = {}) => {
    const secret = token.read()
    const headers = secret === '' ? {} : { Authorization: `Bearer ${secret}` }
    const answer = await fetch(path, { ...options, headers, cache: 'no-store', redirect: 'error' })
    if (!answer.ok) throw new ApiError(answer.status, await readError(answer))
    return answer
  }
  return {
    /**
     * @param {string} path
     * @param {AbortSignal} [signal]
     * @returns {Promise<any>}
     */
    get: async (path, signal) => (await ask(path, signal === undefined ? {} : { signal })).json(),
    /**
     * Returns what the gate says beside "done", if anything.
     * @param {string} path
     * @returns {Promise<any>}
     */
    remove: async (path) => {
      const answer = await ask(path, { method: 'DELETE' })
      return answer.status === 204 ? undefined : await answer.json()
    },
    /**
     * @param {string} path
     * @param {AbortSignal} signal
     */
    open: async (path, signal) => {
      const { body } = await ask(path, { signal })
      if (body === null) throw new ApiError(0, 'the answer is empty')
      return body
    },
  }
}

/** @typedef {ReturnType<typeof createApi>} Api */

/** @param {Response} answer */
async function readError(answer) {
  const said = await answer.json().catch(() => undefined)
  return typeof said?.error === 'string' ? plain(said.error) : `the gate answered ${answer.status}`
}
