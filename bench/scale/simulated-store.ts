/**
 * The records of a Valkey: what has expired goes when something else of its viewer goes silent, or with all.
 */
export interface SimulatedStore {
  /** A session of a viewer was written for the first time. */
  add(viewer: object, record: SimulatedRecord): void
  /** A session of the viewer has gone silent (`FITTING` of src/state/valkey/scripts.ts). */
  fit(viewer: object, now: number): void
  /** The time of a viewer's key may be over. */
  expire(viewer: object, now: number): void
  count(): number
}

export interface SimulatedRecord {
  /** Nobody may resume it after this time; Infinity while it plays. */
  resumableUntil: number
}

export function createSimulatedStore(): SimulatedStore {
  const ofViewer = new Map<object, SimulatedRecord[]>()
  let count = 0
  const put = (viewer: object, records: SimulatedRecord[]): void => {
    count += records.length - (ofViewer.get(viewer)?.length ?? 0)
    if (records.length === 0) ofViewer.delete(viewer)
    else ofViewer.set(viewer, records)
  }
  return {
    add: (viewer, record) => put(viewer, [...(ofViewer.get(viewer) ?? []), record]),
    fit(viewer, now) {
      put(
        viewer,
        (ofViewer.get(viewer) ?? []).filter(({ resumableUntil }) => resumableUntil > now),
      )
    },
    expire(viewer, now) {
      const records = ofViewer.get(viewer) ?? []
      if (records.every(({ resumableUntil }) => resumableUntil <= now)) put(viewer, [])
    },
    count: () => count,
  }
}
