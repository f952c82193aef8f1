import { type Directive, named } from './directive.ts'

/** Directives by which an operator decides themselves who may come in. */
const own =
  /^(?:allow|deny|auth_basic|auth_digest|auth_jwt|auth_pam|secure_link|secure_link_secret|js_access|access_by_lua\w*)$/
/** What every client may choose: a condition on it keeps nobody out. */
const free = /^\(\s*\$(?:request_method|http_\w+|invalid_referer|scheme|host|args|query_string|is_args)\b/
const refusal = /^(?:40[134]|410|444)$/

/** Whether these lines refuse some clients by other means than alta-auth. */
export function refuseSome(directives: readonly Directive[]): boolean {
  return directives.some(
    ({ name, args, block = [] }) =>
      (own.test(name) && args[0] !== 'off') ||
      (name === 'if' &&
        !free.test(args.join(' ')) &&
        named(block, 'return').some((one) => refusal.test(one.args[0] ?? ''))),
  )
}
