/**
 * The names of all keys, the same in every store. What is between the braces decides the server of a cluster:
 * all keys of one viewer, of one user, of one cookie, and of what all gates share, lie on one each.
 */
export interface Keys {
  /** The list of a viewer's sessions. Viewer, user and cookie are names: 22 characters of base64url. */
  viewer(viewer: string): string
  session(viewer: string, id: string): string
  cookie(cookie: string): string
  user(user: string): string
  userMark(user: string): string
  readonly identity: string
  readonly counter: string
  readonly gates: string
  readonly wide: string
  inbox(gate: string): string
}

/** The format of all that is kept. The release before has format 1. */
const FORMAT = '2:'

/** @param prefix STATE_PREFIX; empty in a folder */
export function createKeys(prefix: string): Keys {
  const start = prefix + FORMAT
  const all = `${start}{all}`
  return {
    viewer: (viewer) => `${start}v{${viewer}}`,
    session: (viewer, id) => `${start}v{${viewer}}${id}`,
    cookie: (cookie) => `${start}c{${cookie}}`,
    user: (user) => `${start}u{${user}}`,
    userMark: (user) => `${start}u{${user}}mark`,
    identity: `${all}identity`,
    counter: `${all}counter`,
    gates: `${all}gates`,
    wide: `${all}wide`,
    inbox: (gate) => `${all}inbox:${gate}`,
  }
}
