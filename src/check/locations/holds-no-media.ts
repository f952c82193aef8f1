import { readdirSync } from 'node:fs'
import { follow } from '../nginx-conf/mapping.ts'
import type { Location } from '../nginx-conf/site-map.ts'

const picture = /\.(?:png|jpe?g|gif|svg|webp|avif|ico|xml|gz|json|html?|css|js|txt|vtt|srt)$/i

/**
 * Whether the files of a location can be seen, and all of them are pictures, guides or pages. Live segments
 * come and go, so an empty folder says nothing, nor do folders inside it.
 */
export function holdsNoMedia({ files, pattern, modifier }: Location): boolean {
  const folder = files === undefined || modifier.startsWith('~') ? undefined : follow(files, pattern)
  if (folder === undefined) return false
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.length > 0 && entries.every((one) => one.isFile() && picture.test(one.name))
  } catch {
    return false
  }
}
