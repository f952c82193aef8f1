/** Where one server listens. */
export type ValkeyAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** How the servers belong together. `name` is what the Sentinels call their servers. */
export type ValkeyMode =
  | { readonly kind: 'single' }
  | { readonly kind: 'cluster' }
  | { readonly kind: 'sentinel'; readonly name: string }

/** Valkey as the operator has set it. */
export interface ValkeySettings {
  readonly mode: ValkeyMode
  /** At least one: the server itself, nodes of the cluster, or Sentinels. */
  readonly nodes: readonly ValkeyAddress[]
  readonly tls: boolean
  readonly username?: string
  readonly password?: string
  /** The number of the database; 0 in a cluster. */
  readonly database: number
  /** STATE_PREFIX: all keys begin with it. */
  readonly prefix: string
  /** STATE_SECRET, one or two: the first seals, both open. */
  readonly secrets: readonly string[]
  /** STATE_TIMEOUT: how long a request waits, in milliseconds. */
  readonly timeout: number
}
