import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { request } from './client.ts'
import { startPhp } from './php.ts'
import { questionOf } from './question-of.ts'
import type { Scope } from './scope.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** How PHP read a query. Byte strings are latin-1, one character for each byte. */
export interface Seen {
  /** `QUERY_STRING`. */
  readonly query: string
  /** `serialize($_GET)`: names, values, their types and their order. */
  readonly get: string
  /** `serialize` of each value by its name, in order. */
  readonly values: ReadonlyMap<string, string>
}

/** Asks PHP with a query (with its `?`): directly, and with the question that the gate would make of it. */
export interface PhpOracle {
  readonly directly: (query: string) => Promise<Seen>
  /** @param own the operator's part of BACKEND_URL, with its `?`; or empty */
  readonly throughGate: (query: string, own?: string) => Promise<Seen>
}

/** Allows everything and records in hex what it gets. */
const recorder = `<?php
$seen = ['query' => bin2hex($_SERVER['QUERY_STRING'] ?? ''), 'get' => bin2hex(serialize($_GET)), 'values' => []];
foreach ($_GET as $name => $value) $seen['values'][] = [bin2hex((string) $name), bin2hex(serialize($value))];
file_put_contents(__DIR__ . '/seen.json', json_encode($seen));
http_response_code(200);
`

/** PHP as a backend. What nginx makes of a query is shown by `hostile/values.test.ts`. */
export async function startPhpOracle(scope: Scope): Promise<PhpOracle> {
  const folder = makeTemporaryFolder(scope)
  const script = join(folder, 'auth.php')
  const record = join(folder, 'seen.json')
  writeFileSync(script, recorder)
  const php = await startPhp(scope, script)

  const ask = async (target: string): Promise<Seen> => {
    rmSync(record, { force: true })
    const answer = await request({ port: php.port, target })
    assert.equal(answer.status, 200, target)
    const seen = JSON.parse(readFileSync(record, 'utf8')) as Record<'query' | 'get', string> & {
      readonly values: [name: string, value: string][]
    }
    return {
      query: fromHex(seen.query),
      get: fromHex(seen.get),
      values: new Map(seen.values.map(([name, value]) => [fromHex(name), fromHex(value)])),
    }
  }
  return {
    directly: (query) => ask(`/auth.php${query}`),
    throughGate: (query, own = '') => {
      const asked = questionOf({ uri: `/index.m3u8${query}` }, `${php.url}/auth.php${own}`)
      assert.ok(asked !== undefined, `${query} is refused`)
      return ask(asked.target)
    },
  }
}

/** The bytes as latin-1. */
export function fromHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1')
}
