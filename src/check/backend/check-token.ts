import { headerOf } from '../../client/client.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { Asked } from './ask-invented.ts'

const { ok, failed, skipped } = findingsOf('backend-token')

/** Checks that the backend does not allow an invented token, for then it allows everybody. */
export function checkToken(asked: Asked): Finding {
  if (asked.kind === 'unavailable') return skipped('not seen: there is no answer')
  const { status } = asked.reply
  if (status !== 200) return ok(`an invented token is denied (${status})`, undefined, { status })
  const isPage = /^text\/html\b/i.test(headerOf(asked.reply, 'content-type') ?? '')
  const [note, remedy] = isPage
    ? [
        ', with an HTML page',
        'is that a login page or a start page? BACKEND_URL must name the script that decides',
      ]
    : ['', 'is the path of BACKEND_URL right? Does the script look at the token, under this name?']
  const sentence = `an invented token is allowed (200${note}): everybody would be let in`
  return failed(sentence, remedy, { status })
}
