/** Players and what their User-Agent holds, the first match counts. */
const players: readonly (readonly [name: string, sign: RegExp])[] = [
  ['kodi', /Kodi/],
  ['vlc', /VLC\//],
  ['mpv', /mpv/],
  ['gstreamer', /GStreamer|souphttpsrc/],
  ['ffmpeg', /Lavf\//],
  ['avplayer', /AppleCoreMedia/],
  ['exoplayer', /ExoPlayer|Media3/],
  ['mag', /MAG\d|stbapp/],
  ['tizen', /Tizen/],
  ['webos', /Web0S|webOS/],
  ['roku', /Roku/],
  ['android', /okhttp|Dalvik/],
  ['edge', /Edg\//],
  ['chromium', /Chrom(?:e|ium)\//],
  ['firefox', /Firefox\//],
  ['safari', /Safari\//],
]

/** What metrics call a player of unknown name. */
const OTHER = 'other'

/** All names, so that Prometheus sees the first of each as an increase. */
export const playerNames: readonly string[] = [...players.map(([name]) => name), OTHER]

/** The player of a User-Agent: one of a few names, since a client may send any text. */
export function playerOf(userAgent: string): string {
  return players.find(([, sign]) => sign.test(userAgent))?.[0] ?? OTHER
}
