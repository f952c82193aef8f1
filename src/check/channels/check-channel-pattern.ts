import { leavesChannelsOpen } from '../../session/scope.ts'
import { type Finding, findingsOf } from '../finding.ts'
import type { SiteMap } from '../nginx-conf/site-map.ts'
import { documentRoots } from './document-roots.ts'
import { proposePattern } from './propose-pattern.ts'
import { readMedia } from './read-media.ts'

const { ok, warning } = findingsOf('channel-pattern')
const HOW =
  'write a pattern whose first group is the channel, such as ^/live/([^/]+)/ where each has a directory; docs/sessions.md has one for channels in one directory'

/**
 * Checks that an allow opens one channel and no more.
 * @param map undefined when nginx's configuration could not be read
 */
export function checkChannelPattern(pattern: RegExp | undefined, map: SiteMap | undefined): Finding {
  if (pattern !== undefined) {
    if (!leavesChannelsOpen(pattern)) return ok('a session opens its channel, and no other')
    const sentence =
      'CHANNEL_PATTERN does not begin with the directory of the channels: an invented playlist there opens what is of no channel'
    return warning(sentence, 'begin it with ^ and that directory, such as ^/live/([^/]+)/')
  }
  const sentence =
    'CHANNEL_PATTERN is not set: an allowed playlist opens its whole directory, and so does one that does not exist'
  const proposals = (map === undefined ? [] : documentRoots(map)).flatMap(({ folder, prefix, location }) => {
    const proposal = proposePattern(readMedia(folder), prefix)
    return proposal === undefined ? [] : [{ ...proposal, folder, told: location.told }]
  })
  const best = proposals.sort((a, b) => b.channels - a.channels)[0]
  if (best === undefined) return warning(sentence, HOW)
  const { pattern: proposed, channels, folder, told } = best
  const remedy = `CHANNEL_PATTERN='${proposed}' finds ${channels} channels in ${folder}, which ${told} serves; verify it as docs/sessions.md shows`
  return warning(sentence, remedy, { proposed, channels })
}
