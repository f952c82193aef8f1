import { type Finding, findingsOf } from '../finding.ts'
import { lastOf } from '../nginx-conf/directive.ts'
import { mediaSamples } from '../nginx-conf/media-samples.ts'
import { servesOpenly } from '../nginx-conf/open.ts'
import { allLocations, type Location, type Server } from '../nginx-conf/site-map.ts'
import { holdsNoMedia } from './holds-no-media.ts'

const { warning } = findingsOf('nginx-locations')
/** Words that are common in the paths of media. */
const mediaName =
  /(?:^|[/(|])(?:live|vod|hls|dash|streams?|channels?|iptv|catchup|archive|timeshift|dvr|movies?|films?)(?:[/)|]|$)/i
/** Words of what lies beside media: pictures, guides, programs. */
const besides =
  /(?:^|[/(|_-])(?:api|v\d|rest|graphql|ajax|wp-\w+|epg|xmltv|guide|logos?|icons?|images?|img|pics?|pictures|posters?|covers?|thumbs?|thumbnails?|previews?|screens?|banners?|assets|static|css|js|fonts?|player|admin|panel|stats?|status|health|metrics|subtitles?)(?:[/)|._-]|$)/i
/** A page or a script is served there, not media. */
const page = /\.(?:html?|php|json|xml|js|css|txt|png|jpe?g|gif|svg|webp|ico)\)?\$?$/i
const program = /^(?:fastcgi|uwsgi|scgi|grpc)_pass$/

/** Finds open locations whose name sounds like media. @param known those about which more was found */
export function findOpenMedia(server: Server, known: ReadonlyMap<string, Finding>): Finding[] {
  return allLocations(server.locations)
    .filter(
      (one) => !known.has(one.told) && soundsLikeMedia(one) && servesOpenly(one) && !isOpenOnPurpose(one),
    )
    .filter((one) => !one.directives.some(({ name }) => program.test(name)) && !holdsNoMedia(one))
    .filter((one) => !one.modifier.startsWith('~') || mediaSamples(server, one).length > 0)
    .map(({ told }) =>
      warning(
        `${told} sounds like media, but is open`,
        'include location.conf in it if viewers must be allowed there',
      ),
    )
}

function soundsLikeMedia({ modifier, pattern }: Location): boolean {
  return modifier !== '@' && mediaName.test(pattern) && !besides.test(pattern) && !page.test(pattern)
}

function isOpenOnPurpose({ directives }: Location): boolean {
  return lastOf(directives, 'auth_request')?.args[0] === 'off'
}
