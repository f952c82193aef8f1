import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openSession, viewer } from '../support/busy-audience.ts'
import { startBusyGate } from '../support/busy-gate.ts'
import { isFull } from '../support/full.ts'
import { openLivePage } from '../support/live-page-tab.ts'
import { forSuite } from '../support/scope.ts'

const SESSIONS = 10_000
/** Sessions that open in a second, and as many that end: the gate holds no more than it has. */
const CHANGES = 200
/** Rows in the document at most. */
const MOST_ROWS = 100
/** Frames of one way through the list. */
const FRAMES = isFull ? 300 : 120
/**
 * Milliseconds that are allowed on a busy machine with two cores: the longest time that the page keeps the
 * browser busy in one go, the longest time between two frames; and the share of the time that tasks of more
 * than 50 ms may take.
 */
const LONGEST = 1_500
const LOST = 0.7

/** What the page's main thread did while its list was scrolled from end to end. */
interface Measured {
  readonly took: number
  /** Milliseconds between frames, ascending. */
  readonly gaps: readonly number[]
  /** Milliseconds of tasks longer than 50. */
  readonly tasks: readonly number[]
  readonly mostRows: number
  /** Frames in which the place in sight had no row. */
  readonly blank: number
  /** Whether the last row that was seen is the last of the list. */
  readonly reached: boolean
}

describe(`the live page with ${SESSIONS} sessions`, () => {
  const busy = forSuite((scope) =>
    startBusyGate(scope, { sessions: SESSIONS, environment: { MAX_SESSIONS: String(SESSIONS) } }),
  )

  const show = async (t: Parameters<typeof openLivePage>[0]) => {
    const tab = await openLivePage(t, busy.browser, busy.url, { viewport: { width: 1280, height: 900 } })
    await tab.until('all to be listed', `document.querySelector('#grid').ariaRowCount === '${SESSIONS + 1}'`)
    return tab
  }
  const judge = (t: Parameters<typeof openLivePage>[0], measured: Measured): void => {
    const { took, gaps, tasks, mostRows, blank, reached } = measured
    const longest = Math.round(Math.max(0, ...gaps))
    const lost = tasks.reduce((sum, task) => sum + task, 0) / took
    const median = Math.round(gaps[gaps.length >> 1] ?? 0)
    const most = Math.round(Math.max(0, ...tasks))
    t.diagnostic(
      `${gaps.length} frames in ${Math.round(took)} ms: median ${median} ms, longest ${longest} ms; ${tasks.length} long tasks, longest ${most} ms, ${Math.round(lost * 100)} % of the time; at most ${mostRows} rows`,
    )
    assert.ok(mostRows < MOST_ROWS, `${mostRows} rows in the document`)
    assert.ok(reached, 'the end of the list was seen')
    assert.equal(blank, 0, 'frames without a row in sight')
    assert.ok(longest < LONGEST, `${longest} ms between two frames`)
    assert.ok(most < LONGEST, `a task of ${most} ms`)
    assert.ok(lost < LOST, `${Math.round(lost * 100)} % of the time in long tasks`)
  }

  test('all of them scroll without stutter, and only those in sight are in the document', async (t) => {
    const { page } = await show(t)
    judge(t, await page.evaluate<Measured>(scrollThrough))
  })

  test(`${CHANGES} sessions a second open and end meanwhile, without stutter`, async (t) => {
    const { page, ...tab } = await show(t)
    let isOver = false
    let come = SESSIONS
    const changing = (async () => {
      for (const began = performance.now(); !isOver; ) {
        const due = SESSIONS + Math.floor(((performance.now() - began) / 1_000) * CHANGES)
        const batch = []
        for (; come < due; come++) batch.push(openSession(busy.ask, come))
        await Promise.all([...batch, delay(50)])
      }
    })()
    const measured = await page.evaluate<Measured>(scrollThrough).finally(() => {
      isOver = true
    })
    await changing
    t.diagnostic(`${come - SESSIONS} opened and ended`)
    assert.ok(come - SESSIONS > (measured.took / 1_000) * CHANGES * 0.5, `only ${come - SESSIONS} came`)
    judge(t, measured)

    // The page missed nothing: it shows the sessions of the gate.
    await tab.until('as many as before', `document.querySelector('#grid').ariaRowCount === '${SESSIONS + 1}'`)
    await page.evaluate(`document.querySelector('#grid').scrollTop = 0`)
    await tab.lists('sessions', new RegExp(`^${viewer(come - 1).user} `))
    await page.evaluate(`document.querySelector('#grid').scrollTop = 1e9`)
    await tab.lists('sessions', new RegExp(`^${viewer(come - SESSIONS).user} `))
  })

  test('the keyboard goes to the last of them, and a filter finds one', async (t) => {
    const { page, ...tab } = await show(t)
    await page.locator('#grid .rows [role=gridcell]').first().focus()
    await page.keyboard.press('Control+End')
    assert.equal(
      await page.evaluate(`document.activeElement.closest('[role=row]').ariaRowIndex`),
      String(SESSIONS + 1),
    )
    assert.equal(await tab.focused(), 'Close')
    await page.keyboard.press('PageUp')
    assert.equal(await tab.focused(), 'Close')
    const all = await (await fetch(`${busy.url}/sessions?limit=1000`)).json()
    const { address } = (all as { sessions: { address: string }[] }).sessions[777] ?? { address: '' }
    await page.fill('#filter', address)
    await tab.lists('sessions', new RegExp(` ${address.replaceAll('.', '\\.')} `))
    const rows = await page.locator('#grid .rows [role=row]').count()
    assert.ok(rows >= 1 && rows < 20, `${rows} rows`)
  })
})

const scrollThrough = `new Promise((resolve) => {
  const grid = document.querySelector('#grid')
  const tasks = []
  const gaps = []
  let mostRows = 0
  let blank = 0
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(duration)
  })
  observer.observe({ type: 'longtask' })
  const began = performance.now()
  let before = began
  let frame = 0
  const step = (now) => {
    gaps.push(now - before)
    before = now
    const lines = document.querySelectorAll('#grid .rows .line')
    mostRows = Math.max(mostRows, lines.length)
    if (frame === ${FRAMES}) {
      observer.disconnect()
      gaps.shift()
      const last = Math.max(...[...lines].map(({ ariaRowIndex }) => Number(ariaRowIndex)))
      const reached = last === Number(grid.ariaRowCount)
      return resolve({ took: now - began, gaps: gaps.sort((a, b) => a - b), tasks, mostRows, blank, reached })
    }
    // The scrolls of earlier frames were drawn. Is there a row in the middle of the visible part?
    const { left, top, width, height } = grid.getBoundingClientRect()
    if (frame > 1 && document.elementFromPoint(left + width / 3, top + height / 2)?.closest('.line') === null) blank++
    frame++
    grid.scrollTop = (grid.scrollHeight - grid.clientHeight) * (frame / ${FRAMES - 2})
    requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
})`
