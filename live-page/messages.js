/**
 * What the admin API says, as docs/admin.md describes it; nothing but types.
 *
 * @typedef {object} SessionView
 * @property {string} session its id
 * @property {string} user empty when the backend named nobody
 * @property {string} channel
 * @property {string} address
 * @property {string} origin
 * @property {string} path
 * @property {string} userAgent
 * @property {string} playbackId
 * @property {boolean} provisional let in by the default action
 * @property {string} start
 * @property {string} lastRequest
 * @property {number} requests
 * @property {string | null} recheck
 * @property {string | null} unavailable reason of the last re-check when it got no answer
 * @property {number} part 1, and one more for each time that it was resumed
 * @property {'opened' | 'adopted' | 'resumed'} came how it came into this process of the gate
 * @property {number | null} plays of its user; null where nothing limits them
 * @property {number | null} limit
 * @property {string} [gate] the name of the gate that has it; where gates share a store
 *
 * @typedef {object} RefusedUser
 * @property {string} user
 * @property {number} refused
 * @property {number} displaced
 * @property {string} last
 *
 * @typedef {object} SessionPage
 * @property {SessionView[]} sessions
 * @property {string | null} next
 * @property {number} total
 *
 * @typedef {object} Denial
 * @property {number} denial
 * @property {string} time
 * @property {string} address
 * @property {string} origin
 * @property {string} path
 * @property {string} userAgent
 * @property {string} source
 * @property {string} reason
 * @property {string} why the reason as a clause
 * @property {string} session
 *
 * @typedef {object} BackendState
 * @property {string} name
 * @property {'unasked' | 'answers' | 'unavailable'} state
 * @property {string} [reason] where it is unavailable, and so are the next two
 * @property {string} [why] the reason as a clause
 * @property {number} [seconds]
 * @property {string} breaker
 * @property {number} inFlight
 * @property {number} waiting
 * @property {number | null} p50 milliseconds, over the last minute
 * @property {number | null} p99
 * @property {number} perSecond
 *
 * @typedef {object} Rates answers in the last whole second
 * @property {Record<'backend' | 'session' | 'stale' | 'default', number>} allow
 * @property {Record<'backend' | 'session' | 'stale' | 'default' | 'gate', number>} deny
 *
 * @typedef {object} StoreState
 * @property {boolean} usable
 * @property {string} since
 * @property {string} [why] where it is not usable, and so is the next
 * @property {string} [message] a clause: what is wrong, and the cure
 *
 * @typedef {object} EndedSession
 * @property {string} session
 * @property {string} [gate] where it has ended; where gates share a store
 *
 * @typedef {object} ShownGate
 * @property {string} name
 * @property {string} version
 * @property {number} sessions
 * @property {number} seen seconds since it was heard of
 * @property {string} [page] where its live page is
 *
 * @typedef {object} ShownGates
 * @property {string} name of this gate
 * @property {boolean} away the others cannot be asked
 * @property {readonly ShownGate[]} all
 * @property {readonly string[]} misfits what does not fit between them
 *
 * @typedef {object} Closing the answer to a close that is not written yet
 * @property {string} message
 *
 * @typedef {object} GateState
 * @property {string} time
 * @property {number} uptime seconds
 * @property {{ live: number, provisional: number, denied: number, limit: number }} sessions
 * @property {Rates} rates
 * @property {BackendState[]} backends
 * @property {StoreState | null} state of the store; null where there is none
 * @property {{ letIn: number, refused: number }} byDefault
 * @property {'allow' | 'deny'} defaultAction
 * @property {number} deadline milliseconds
 * @property {string} version
 * @property {string} instance
 * @property {ShownGates} [gates] that share the store of this one
 */

export {}
