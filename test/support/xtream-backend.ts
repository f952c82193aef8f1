import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startPhp } from './php.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** A backend that judges by the path alone, as those of Xtream Codes do. */
export interface XtreamBackend {
  readonly url: string
  /** `X-Real-Path` of each question so far. */
  asked(): string[]
}

/** The user `zara` with the password `hunter2` may watch all but what is numbered 6. */
const script = `<?php
$path = $_SERVER['HTTP_X_REAL_PATH'];
file_put_contents(__DIR__ . '/asked', "$path\\n", FILE_APPEND);
$is = preg_match('#^/(?:live|movie|series)/([^/]+)/([^/]+)/([0-9]+)(?:[._/-]|$)#', $path, $part);
header('X-UserId: 1001');
http_response_code($is && $part[1] === 'zara' && $part[2] === 'hunter2' && $part[3] !== '6' ? 200 : 403);
`

export async function startXtreamBackend(scope: Scope): Promise<XtreamBackend> {
  const folder = makeTemporaryFolder(scope)
  writeFileSync(join(folder, 'index.php'), script)
  writeFileSync(join(folder, 'asked'), '')
  const { url } = await startPhp(scope, join(folder, 'index.php'))
  return {
    url,
    asked: () =>
      readFileSync(join(folder, 'asked'), 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
  }
}
