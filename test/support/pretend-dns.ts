import dns, { type LookupAddress } from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import type { Resolve } from '../../src/client/address-book.ts'
import type { Scope } from './scope.ts'

export const v4 = (address: string): LookupAddress => ({ address, family: 4 })
export const v6 = (address: string): LookupAddress => ({ address, family: 6 })
const broken = Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' })

/** A pretend resolver. */
export interface Resolver {
  readonly resolve: Resolve
  /** The result of the next look-ups. `silent` = they never end. */
  says: readonly LookupAddress[] | 'broken' | 'silent'
  count(): number
}

export function createResolver(first: Resolver['says']): Resolver {
  let count = 0
  const resolver: Resolver = {
    says: first,
    count: () => count,
    resolve(_host, done) {
      count++
      const { says } = resolver
      if (says === 'broken') done(broken, [])
      else if (says !== 'silent') done(null, [...says])
    },
  }
  return resolver
}

/** Makes this whole process find these addresses for `backend.example`. */
export function pretendDns(scope: Scope, first: Resolver['says']): Resolver {
  const resolver = createResolver(first)
  const real = dns.lookup
  const pretend = (host: string, options: dns.LookupAllOptions, done: Parameters<Resolve>[1]): void => {
    if (host === 'backend.example') resolver.resolve(host, done)
    else real(host, options, done)
  }
  Object.assign(dns, { lookup: pretend })
  syncBuiltinESMExports()
  scope.after(() => {
    Object.assign(dns, { lookup: real })
    syncBuiltinESMExports()
  })
  return resolver
}
