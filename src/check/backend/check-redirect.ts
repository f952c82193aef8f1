import { headerOf } from '../../client/client.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Asked } from './ask-invented.ts'

const { ok, failed, skipped } = findingsOf('backend-redirect')

/**
 * Checks that the backend does not redirect: redirects are not followed, so they deny all viewers.
 * @param url the URL that was asked
 */
export function checkRedirect(asked: Asked, url: string): Finding {
  if (asked.kind === 'unavailable') return skipped('not seen: there is no answer')
  const { status } = asked.reply
  if (status < 300 || status > 399) return ok('none')
  const location = headerOf(asked.reply, 'location') ?? ''
  const target = location !== '' && URL.canParse(location, url) ? new URL(location, url) : undefined
  if (target === undefined || !/^https?:$/.test(target.protocol)) {
    const remedy = 'write the URL of the script that decides in BACKEND_URL'
    return failed(`answers ${status}, and any status but 200 denies everybody`, remedy, { status })
  }
  // Its query may hold what was asked, and its user part may hold a password.
  const final = `${target.origin}${target.pathname}`
  const remedy = `redirects are not followed; if that is where it decides, BACKEND_URL=${final} (and your own parameters behind it)`
  const sentence = `redirects to ${target.host} (${status}), which denies everybody`
  return failed(sentence, remedy, { status, location: final })
}
