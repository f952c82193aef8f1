/** One directive of nginx, as written: `name args;` or `name args { block }`. */
export interface Directive {
  readonly name: string
  readonly args: readonly string[]
  readonly block?: readonly Directive[]
  readonly file: string
  readonly line: number
}

/**
 * The directive as one text. Directives with the same meaning are the same text, whatever their spaces and
 * quotes.
 */
export function textOf({ name, args, block }: Directive): string {
  const words = [name, ...args].join(' ')
  return block === undefined ? `${words};` : `${words} { ${block.map(textOf).join(' ')} }`
}

/** Where the directive is written, for people: `live.conf:12`. */
export function placeOf({ file, line }: Directive): string {
  return `${file.split('/').at(-1) ?? file}:${line}`
}

/** All directives with this name, without those in blocks. */
export function named(directives: readonly Directive[], name: string): Directive[] {
  return directives.filter((one) => one.name === name)
}

/** The last directive with this name. It is the one that counts. */
export function lastOf(directives: readonly Directive[], name: string): Directive | undefined {
  return directives.findLast((one) => one.name === name)
}
