import { locate } from './locate.ts'
import { allLocations, type Location, type Server } from './site-map.ts'

/** A name that no directory of a site has. */
export const INVENTED = 'alta-auth-check'
export const playlistNames = ['index.m3u8', '1.m3u8', 'manifest.mpd'] as const
export const segmentNames = ['1.ts', '1.m4s', '1.mp4', '1.aac'] as const

/** The beginnings that are tried for a regular expression. */
const MOST_BEGINNINGS = 20

/** Paths of media that a location takes. For a regular expression they are guessed, so there may be none. */
export function mediaSamples(
  { locations }: Server,
  location: Location,
  names: readonly string[] = [...playlistNames, ...segmentNames],
): string[] {
  const { modifier, pattern } = location
  const begins = modifier.startsWith('~')
    ? [
        /^\^((?:\\?\/|[\w-]+(?=\/))+)/.exec(pattern)?.[1]?.replaceAll('\\', '') ?? '/',
        ...allLocations(locations).flatMap((one) =>
          one.modifier === '' || one.modifier === '^~' ? [one.pattern] : [],
        ),
      ]
    : [modifier === '=' ? pattern.slice(0, pattern.lastIndexOf('/')) : pattern]
  const folders = begins
    .slice(0, MOST_BEGINNINGS)
    .map((begin) => begin.replace(/\/?$/, '/'))
    .flatMap((begin) => [begin, `${begin}${INVENTED}/`, `${begin}${INVENTED}/${INVENTED}/`])
  const own = modifier === '=' ? [pattern.slice(pattern.lastIndexOf('/') + 1)] : []
  const paths = [...new Set(folders)].flatMap((folder) => [...names, ...own].map((name) => folder + name))
  return paths.filter((path) => locate(locations, path) === location)
}

/** A path of a sample, for people: `/live/…/index.m3u8`. */
export function shownSample(path: string): string {
  return path.replace(new RegExp(`(?:${INVENTED}/)+`), '…/')
}
