import type { Log } from '../log/log.ts'
import type { Observer } from './observers.ts'

/** Streams and films of Xtream Codes and XUI: `/live/USER/PASSWORD/5.ts`. */
const likeXtream =
  /^\/(?:live|movie|series|timeshift)\/[^/]+\/[^/]+\/(?:[^/]+\/)*\d+\.(?:ts|m3u8|mp4|mkv|avi)$/i

/**
 * Warns once where a backend allows such a path of a request without any parameter: it must have judged by
 * the path or by the address. For a gate without CREDENTIAL_PATTERN.
 */
export function createPathCredentialNotice(log: Log): Observer {
  let isTold = false
  return {
    decided({ subrequest: { path, query }, decision: { reason }, occasion }) {
      if (isTold || occasion !== 'question' || reason !== 'backend-200') return
      if (query !== '' || !likeXtream.test(path)) return
      isTold = true
      log.warn(
        'CREDENTIAL_PATTERN is not set, and a path looks as if it held user and password, as in /live/USER/PASSWORD/5.ts: if so, whoever has a wrong one rides on the session of the right one; see docs/backends.md',
      )
    },
  }
}
