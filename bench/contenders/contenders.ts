import { altaAuthCached } from './alta-auth-cached.ts'
import { altaAuthShared, altaAuthTwo } from './alta-auth-shared.ts'
import { altaAuthTcp } from './alta-auth-tcp.ts'
import { altaAuthUnix } from './alta-auth-unix.ts'
import { bareAsker, bareNode } from './bare-node.ts'
import type { Contender } from './contender.ts'
import { hop, hopOverTcp } from './hop.ts'
import { lua } from './lua.ts'
import { njs } from './njs.ts'
import { noAuth } from './no-auth.ts'
import { plainExpress } from './plain-express.ts'
import { proxyCache } from './proxy-cache.ts'

/** All contenders, in the order of the tables. */
export const contenders: readonly Contender[] = [
  noAuth,
  hop,
  hopOverTcp,
  bareNode,
  bareAsker,
  proxyCache,
  lua,
  njs,
  plainExpress,
  altaAuthTcp,
  altaAuthUnix,
  altaAuthCached,
  altaAuthShared,
  altaAuthTwo,
]
