import { element, find } from './elements.js'
import { placeInOrder } from './place-in-order.js'
import { createSessionHeads } from './session-heads.js'
import { columns, createSessionRow } from './session-row.js'

/** @typedef {import('./session-row.js').SessionRow} SessionRow */
/** @typedef {import('./messages.js').SessionView} SessionView */

/** Extra rows beyond the visible ones, for fast scrolling. */
const SPARE = 6

/**
 * A grid with only the visible rows in the document. One row keeps its place on the screen while rows come
 * and go above it: the row with the focus, else the row below the pointer, else the first visible row of a
 * grid that was scrolled.
 *
 * @param {import('./session-list.js').SessionList} list
 * @param {(id: string) => void} onClose
 */
export function createSessionTable(list, onClose) {
  const grid = find('grid', HTMLElement)
  const heads = createSessionHeads(list)
  const body = element('div', 'rows')
  grid.append(heads.head, body)
  grid.role = 'grid'
  grid.setAttribute('aria-labelledby', 'sessions-heading')
  body.role = 'rowgroup'
  /** @type {Map<string, SessionRow>} */
  const rows = new Map()
  /** @type {SessionRow[]} */
  const free = []
  /** The cell of the keyboard. */
  let active = { id: '', column: 0, index: 0 }
  let pointedAt = ''
  /** The sessions as they were shown last; the pixels of a row, and of the visible part. */
  let before = list.shown()
  let height = 44
  let room = 0
  let now = Date.now()
  let isDue = false

  const measure = () => {
    height = Number.parseFloat(getComputedStyle(grid).getPropertyValue('--row')) || height
    room = grid.clientHeight - heads.head.offsetHeight
    body.style.height = `${before.length * height}px`
  }
  const hasFocus = () => body.contains(document.activeElement)
  /** @param {number} index */
  const isInSight = (index) => (index + 1) * height > grid.scrollTop && index * height < grid.scrollTop + room
  /** The session that must keep its place on the screen. */
  const anchor = () => {
    if (hasFocus() && isInSight(active.index)) return active.id
    if (pointedAt !== '') return pointedAt
    return grid.scrollTop < height ? undefined : before[Math.floor(grid.scrollTop / height)]?.session
  }
  /**
   * Shows changed sessions, and keeps that place.
   * @param {readonly SessionView[]} sessions
   */
  const settle = (sessions) => {
    const kept = anchor()
    const was = before.findIndex(({ session }) => session === kept)
    const is = sessions.findIndex(({ session }) => session === kept)
    body.style.height = `${sessions.length * height}px`
    grid.ariaRowCount = String(sessions.length + 1)
    if (was !== -1 && is !== -1) grid.scrollTop += (is - was) * height
    const at = sessions.findIndex(({ session }) => session === active.id)
    // When its session has ended, the keyboard moves to the session that has taken its place.
    const index = at === -1 ? Math.max(0, Math.min(active.index, sessions.length - 1)) : at
    active = { id: sessions[index]?.session ?? '', column: active.column, index }
    before = sessions
  }
  /** The indices of the rows that must be in the document: the visible rows, and the row with the focus. */
  const wanted = () => {
    const first = Math.max(0, Math.floor(grid.scrollTop / height) - SPARE)
    const last = Math.min(before.length, Math.ceil((grid.scrollTop + room) / height) + SPARE)
    const inSight = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at)
    if (!hasFocus() || active.index >= before.length || inSight.includes(active.index)) return inSight
    return active.index < first ? [active.index, ...inSight] : [...inSight, active.index]
  }
  const render = () => {
    isDue = false
    const hadFocus = hasFocus()
    if (list.shown() !== before) settle(list.shown())
    const sessions = wanted().flatMap((index) => {
      const session = before[index]
      return session === undefined ? [] : [{ session, index }]
    })
    const ids = new Set(sessions.map(({ session }) => session.session))
    for (const [id, row] of rows) {
      if (ids.has(id)) continue
      rows.delete(id)
      row.row.remove()
      free.push(row)
    }
    const lines = sessions.map(({ session, index }) => {
      const row = rows.get(session.session) ?? free.pop() ?? createSessionRow(onClose)
      rows.set(session.session, row)
      row.show(session, index, now)
      row.row.style.transform = `translateY(${index * height}px)`
      return row.row
    })
    placeInOrder(body, lines)
    if (!hadFocus && !isInSight(active.index)) {
      const index = Math.ceil(grid.scrollTop / height)
      active = { id: before[index]?.session ?? '', column: active.column, index }
    }
    setStop()
    if (hadFocus && !hasFocus()) focusActive()
  }
  /** Makes the keyboard's cell the only one that Tab reaches. */
  const setStop = () => {
    for (const [id, row] of rows) {
      for (const [column, stop] of row.stops.entries()) {
        const tabIndex = id === active.id && column === active.column ? 0 : -1
        if (stop.tabIndex !== tabIndex) stop.tabIndex = tabIndex
      }
    }
  }
  const focusActive = () => {
    const stop = rows.get(active.id)?.stops[active.column] ?? find('filter', HTMLElement)
    stop.focus({ preventScroll: true })
  }
  /**
   * @param {number} index
   * @param {number} column
   */
  const moveTo = (index, column) => {
    if (list.shown() !== before) settle(list.shown())
    const to = Math.max(0, Math.min(index, before.length - 1))
    const into = Math.max(0, Math.min(column, columns.length - 1))
    active = { id: before[to]?.session ?? '', column: into, index: to }
    if (to * height < grid.scrollTop) grid.scrollTop = to * height
    if ((to + 1) * height > grid.scrollTop + room) grid.scrollTop = (to + 1) * height - room
    render()
    focusActive()
  }
  const schedule = () => {
    if (!isDue) requestAnimationFrame(render)
    isDue = true
  }

  body.addEventListener('keydown', (event) => {
    const { index, column } = active
    const page = Math.max(1, Math.floor(room / height) - 1)
    const isFar = event.ctrlKey || event.metaKey
    /** @type {Readonly<Record<string, readonly [index: number, column: number]>>} */
    const moves = {
      ArrowDown: [index + 1, column],
      ArrowUp: [index - 1, column],
      PageDown: [index + page, column],
      PageUp: [index - page, column],
      ArrowRight: [index, column + 1],
      ArrowLeft: [index, column - 1],
      Home: [isFar ? 0 : index, 0],
      End: [isFar ? before.length : index, columns.length],
    }
    const move = moves[event.key]
    if (move === undefined || event.altKey) return
    event.preventDefault()
    moveTo(...move)
  })
  body.addEventListener('focusin', ({ target }) => {
    for (const [id, row] of rows) {
      const column = target instanceof HTMLElement ? row.stops.indexOf(target) : -1
      if (column === -1) continue
      active = { id, column, index: before.findIndex(({ session }) => session === id) }
      setStop()
    }
  })
  body.addEventListener('pointermove', ({ target, pointerType }) => {
    const line = target instanceof Element && pointerType === 'mouse' ? target.closest('.line') : null
    pointedAt = [...rows.values()].find(({ row }) => row === line)?.id() ?? ''
  })
  body.addEventListener('pointerleave', () => {
    pointedAt = ''
  })
  grid.addEventListener('scroll', schedule, { passive: true })
  const resize = () => {
    measure()
    schedule()
  }
  new ResizeObserver(resize).observe(grid)

  return {
    changed() {
      heads.show()
      schedule()
    },
    /** Rows have another height. */
    resize,
    /** @param {number} time of the gate, in milliseconds since 1970 */
    tick(time) {
      now = time
      schedule()
    },
    /** Moves the focus to the keyboard's cell, or to the cell that has taken its place. */
    focus: () => moveTo(active.index, active.column),
  }
}
