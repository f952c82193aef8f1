import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import type { FolderPlace } from './folder-place.ts'

/** What lies in the folder of a store that is closed, for somebody who looks at it or changes it by hand. */
export async function withLevel(
  { folder }: Pick<FolderPlace, 'folder'>,
  act: (level: ClassicLevel<string, Buffer>) => Promise<void>,
): Promise<void> {
  const level: ClassicLevel<string, Buffer> = new ClassicLevel(join(folder, 'sessions'), {
    keyEncoding: 'utf8',
    valueEncoding: 'buffer',
    compression: false,
  })
  await level.open()
  await act(level)
  await level.close()
}
