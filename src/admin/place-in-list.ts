/** Where a session stands in the list of all. */
export interface Place {
  /** When it was opened, in milliseconds of the monotonic clock: those of an earlier process lie before 0. */
  readonly openedAt: number
  readonly id: string
}

/** Newest first. Ids order the sessions of one millisecond, so that no session is on two pages or on none. */
export function comparePlaces(a: Place, b: Place): number {
  if (a.openedAt !== b.openedAt) return b.openedAt - a.openedAt
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

/** The `next` of a page that ends with this session. */
export function cursorOf({ openedAt, id }: Place): string {
  return `${openedAt}.${id}`
}

/** Undefined for a text that is no `next` of a page. */
export function readCursor(text: string): Place | undefined {
  const [, openedAt, id = ''] = /^(-?\d+)\.([\w-]+)$/.exec(text) ?? []
  return openedAt === undefined ? undefined : { openedAt: Number(openedAt), id }
}
