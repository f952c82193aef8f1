import { isLoopback } from '../../listen.ts'
import { type Directive, named } from './directive.ts'
import { readTarget } from './gate-addresses.ts'

/** Whether a server listens only where no other machine reaches it. */
export function listensAtHome(directives: readonly Directive[]): boolean {
  const listens = named(directives, 'listen').map(({ args }) => readTarget(args[0] ?? ''))
  return (
    listens.length > 0 &&
    listens.every((one) => one?.kind === 'unix' || (one?.kind === 'tcp' && isLoopback(one.host)))
  )
}
