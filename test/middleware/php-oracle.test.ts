import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Seen, startPhpOracle } from '../support/php-oracle.ts'
import { forSuite } from '../support/scope.ts'
import { wordsOf } from '../support/words.ts'

const shapes = [
  '',
  '?a={}|^`',
  `?a=${'x'.repeat(7000)}`,
  `?${'a[]=1&'.repeat(499)}z=1`,
  '?a=\xe2\x82\xac',
  '?\xff=\x80',
  ...wordsOf(String.raw`
    ?  ?a=1  ?a  ?a=  ?=a  ?=  ?&  ?a=1&b=2  ?b=2&a=1  ?a=1&a=2  ?a=1&&b=2  ?&a=1&  ?A=1&a=2
    ?a==1  ?a=1=2  ?a=1+2  ?a=1%202  ?a=1%2b2  ?a+b=1  ?a%20b=1  ?a.b=1  ?a%2eb=1  ?+a=1  ?a=1%26b=2
    ?a[]=1&a[]=2  ?a[x]=1&a[y]=2  ?a%5Bx%5D=1  ?a[x][y]=1&a[x][z]=2  ?a[b=1  ?a]b=1  ?[a]=1  ?a[=1  ?[=1  ?[a=1
    ?a=1&a[x]=2  ?a[x]=2&a=1  ?a[0]=x&a[]=y  ?0=a&1=b  ?-1=a&01=b  ?a[[x]]=1  ?a[x]y=1  ?a.b[c.d]=1
    ?a=%00  ?a%00b=1  ?%00a=1  ?a=x%00y  ?a=%  ?a=%z  ?a=%zz&b=%4  ?%=1  ?%zz=1  ?a=%25  ?a=%0d%0aX:y
    ?a='x'  ?a="x"  ?a=<b>  ?a=1;b=2  ?a=\  ?a?b=1  ??a=1  ?a=1?b=2  ?a=/../x//y  ?a=%E2%82%AC  ?a=1&amp;b=2
    ?a=1#b  ?a=%23b  ?__Host-a=1  ?this=1  ?GLOBALS[a]=1  ?_GET[a]=1`),
]

/**
 * `php -S` drops the connection at a raw byte from 0x80 on, so the byte is encoded, which means the same.
 * nginx cuts the query at `#`.
 */
function asPhpTakesIt(query: string): string {
  return query.replace(/#.*$/, '').replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`)
}

test('PHP registers the same parameters as if the player had asked it directly', async (t) => {
  const oracle = await startPhpOracle(t)
  for (const query of shapes) {
    const direct = await oracle.directly(asPhpTakesIt(query))
    assert.equal((await oracle.throughGate(query)).get, direct.get, query)
  }
})

/**
 * Each would replace one of the operator's parameters, or add to it, if it stood after them. `a=1` and `b=2`
 * would not.
 */
const attacks = wordsOf(`
  key=x  key  key=  %6bey=x  k%65y=x  ke%79=x  %6B%65%79=x  +key=x  %20key=x  +%20+key=x  a=1&key=x&b=2  key=x&key=y
  key[]=x  key[a]=x  key[a][b]=x  key%5B%5D=x  key%5ba%5d=x  key[%5D=x  key[[]=x  key[[a]=x  key[a]b[c=x  &key=x&
  key%00=x  key%00z=x  key%00[a]=x  +key%00[=x  key=x;a=1
  k2=x  k2[]=x  k2[a]=x  k2[a][]=x  k2[b]=x  k2%5Bb%5D=x  +k2[b]=x  %6b2[b]=x  k2[[b]=x  k2[b]c=x  k2[a]=x&k2[b]=y
  op_key=x  op.key=x  op+key=x  op%20key=x  op[key=x  op%5Bkey=x  op%5bkey=x  op%2ekey=x  op%5fkey=x  op.key[a]=x
  op_key[]=x  +op.key=x  op+key%00.=x  op[key%00]=x  op%2Ekey[[a]]=x  o%70.key[a.b]=x`)

/** Similar names that PHP takes for other parameters, so the backend still gets them. */
const bystanders = wordsOf(`
  KEY=x  key.=x  key+=x  key%20=x  key[=x  .key=x  key%=x  %00key=x  [key]=x  [key=x  key]=x  key;=x  k2[b=x  op__key=x`)

const own = 'key=operator&k2[a]=op&op_key=2'
/** The same names, as the operator may write them, too. */
const ownOtherwise = '%20key=operator&k%32%5Ba%5D=op&op.key=2'
const ownValues: readonly [name: string, serialized: string][] = [
  ['key', 's:8:"operator";'],
  ['k2', 'a:1:{s:1:"a";s:2:"op";}'],
  ['op_key', 's:1:"2";'],
]

function isUnchanged(seen: Seen): boolean {
  return ownValues.every(([name, serialized]) => seen.values.get(name) === serialized)
}

/** What the backend is to get of an attack: all but its pieces with the operator's names. */
const innocent = (attack: string): string[] =>
  attack.split('&').filter((piece) => ['', 'a=1', 'b=2'].includes(piece))

describe("the operator's own parameters", () => {
  const oracle = forSuite(startPhpOracle)

  for (const written of [own, ownOtherwise]) {
    test(`are out of reach, written as ${written}`, async () => {
      for (const attack of attacks) {
        const seen = await oracle.throughGate(`?${attack}`, `?${written}`)
        assert.ok(isUnchanged(seen), attack)
        assert.equal(seen.query, [...innocent(attack), written].join('&'))
      }
    })
  }

  test('would be changed by every one of these, were it not for the gate', async () => {
    for (const attack of attacks) {
      assert.equal(isUnchanged(await oracle.directly(`?${own}&${attack}`)), false, attack)
    }
  })

  test('take nothing from the client that PHP names otherwise', async () => {
    for (const query of bystanders) {
      const seen = await oracle.throughGate(`?${query}`, `?${own}`)
      assert.ok(isUnchanged(seen), query)
      assert.equal(seen.query, `${query}&${own}`)
    }
  })

  test('are still registered behind 500 parameters of the client', async () => {
    const many = Array.from({ length: 500 }, (_, index) => `p${index}`).join('&')
    const seen = await oracle.throughGate(`?${many}`, `?${own}`)
    assert.ok(isUnchanged(seen))
    assert.equal(seen.values.size, 503)
  })
})
