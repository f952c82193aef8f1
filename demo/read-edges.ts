/** One of several nginx that serve the same stream. */
export interface Edge {
  /** Where browsers on this machine reach it. */
  readonly port: number
  /** Its access log, in the format `alta_auth`. */
  readonly accessLog: string
}

/**
 * Reads edges from a text such as `8080=/var/log/edge1/access.log 8081=/var/log/edge2/access.log`.
 * @throws Error with a sentence for the person who wrote it
 */
export function readEdges(text: string): readonly Edge[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [, port, accessLog] = /^(\d{1,5})=(\/.+)$/.exec(word) ?? []
      if (port === undefined || accessLog === undefined)
        throw new Error(`EDGES says "${word}": write PORT=/path/of/access.log for each edge.`)
      return { port: Number(port), accessLog }
    })
}
