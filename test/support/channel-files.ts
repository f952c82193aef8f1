/** What nginx serves of live channels: `/live/<channel>/index.m3u8` and its segments `0.ts`, `1.ts` … */
export function channelFiles(channels: readonly string[], segments: number): Record<string, string> {
  const files: Record<string, string> = {}
  for (const channel of channels) {
    files[`/live/${channel}/index.m3u8`] = '#EXTM3U\n'
    for (let segment = 0; segment < segments; segment++) files[`/live/${channel}/${segment}.ts`] = 'G'
  }
  return files
}
