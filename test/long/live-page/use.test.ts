import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openSession, playOn, viewer } from '../../support/busy-audience.ts'
import { startBusyGate } from '../../support/busy-gate.ts'
import { openLivePage } from '../../support/live-page-tab.ts'
import { forSuite } from '../../support/scope.ts'

describe('using the live page', () => {
  const busy = forSuite((scope) => startBusyGate(scope))

  test('the keyboard alone reaches a session, closes it, and goes on where it was', async (t) => {
    const { page, ...tab } = await openLivePage(t, busy.browser, busy.url)
    await tab.lists('sessions', /./)
    const press = async (...keys: string[]): Promise<void> => {
      for (const key of keys) await page.keyboard.press(key)
    }
    const row = (): Promise<number> =>
      page.evaluate<number>(`Number(document.activeElement.closest('[role=row]').ariaRowIndex)`)
    await page.keyboard.press('Tab')
    assert.equal(await tab.focused(), 'To the content')
    await page.focus('#filter')
    for (const heading of ['User', 'Channel', 'Address', 'Player', 'Since', 'Requests']) {
      await press('Tab')
      assert.equal(await tab.focused(), heading)
    }
    await press('Tab')
    assert.equal(await row(), 2)
    await press('ArrowDown', 'ArrowDown', 'PageDown')
    const reached = await row()
    assert.ok(reached > 5, `row ${reached}`)
    await press('Control+End')
    assert.equal(await row(), 41)
    await press('Control+Home', 'ArrowDown', 'End')
    assert.equal(await tab.focused(), 'Close')
    const victim = await page.evaluate<string>('document.activeElement.ariaLabel')
    const next = await page.evaluate<string>(
      `document.activeElement.closest('[role=row]').nextElementSibling.querySelector('button').ariaLabel`,
    )
    await press('Enter')
    await tab.reads('#closing', /Close this session\?/)
    assert.equal(await tab.focused(), 'Keep it')
    await press('Escape')
    await tab.until(
      'the focus to come back',
      `document.activeElement.ariaLabel === ${JSON.stringify(victim)}`,
    )
    await press('Enter', 'Tab')
    assert.equal(await tab.focused(), 'Close the session')
    await press('Enter')
    // The one that has come into its place.
    await tab.until(
      'the focus to be on the next row',
      `document.activeElement.ariaLabel === ${JSON.stringify(next)}`,
    )
    assert.equal(await row(), 3)
    await tab.reads('#sessions-said', /^39 sessions$/)
  })

  test('the focus stays on its session while others come and go', async (t) => {
    const { page, ...tab } = await openLivePage(t, busy.browser, busy.url)
    await tab.lists('sessions', /./)
    await page.locator('#grid .rows [role=row]').nth(2).getByRole('button').focus()
    const place = `(() => { const { top } = document.activeElement.getBoundingClientRect(); return Math.round(top) })()`
    const label = await page.evaluate<string>('document.activeElement.ariaLabel')
    const top = await page.evaluate<number>(place)
    const before = await page.evaluate<number>(`Number(document.querySelector('#grid').ariaRowCount)`)
    for (let number = 100; number < 130; number++) await openSession(busy.ask, number)
    await tab.until('thirty more', `Number(document.querySelector('#grid').ariaRowCount) === ${before + 30}`)
    assert.equal(await page.evaluate<string>('document.activeElement.ariaLabel'), label)
    assert.equal(await page.evaluate<number>(place), top)
  })

  test('the focus goes with its session when the order changes, without being lost on the way', async (t) => {
    const { page, ...tab } = await openLivePage(t, busy.browser, busy.url)
    await tab.lists('sessions', /./)
    await page.getByRole('button', { name: 'Requests' }).click()
    await tab.until('the order', `document.querySelector('.head .of-requests').ariaSort === 'descending'`)
    const button = page.locator('#grid .rows [role=row]').nth(4).getByRole('button')
    await button.focus()
    const label = await page.evaluate<string>('document.activeElement.ariaLabel')
    await page.evaluate(
      `void document.addEventListener('focusout', () => document.body.append('lost the focus'))`,
    )
    const number = Number(/-(\d+) on/.exec(label)?.[1]) - 100
    for (let one = 0; one < 20; one++) await playOn(busy.ask, number)
    await tab.until(
      'its row to be the first',
      `document.querySelector('#grid .rows [role=row]').contains(document.activeElement)`,
    )
    assert.equal(await page.evaluate<string>('document.activeElement.ariaLabel'), label)
    assert.doesNotMatch(await tab.text('body'), /lost the focus/)
  })

  test('the row below the pointer stays there, so that nobody closes another one by a mistake', async (t) => {
    const { page, ...tab } = await openLivePage(t, busy.browser, busy.url, {
      viewport: { width: 1280, height: 1100 },
    })
    await tab.lists('sessions', /./)
    const button = await page.locator('#grid .rows [role=row]').nth(3).getByRole('button').boundingBox()
    assert.ok(button !== null)
    const [x, y] = [button.x + 10, button.y + 10]
    await page.mouse.move(x, y)
    const below = `document.elementFromPoint(${x}, ${y}).ariaLabel`
    const label = await page.evaluate<string>(below)
    const before = await page.evaluate<number>(`Number(document.querySelector('#grid').ariaRowCount)`)
    for (let number = 200; number < 230; number++) await openSession(busy.ask, number)
    await tab.until('thirty more', `Number(document.querySelector('#grid').ariaRowCount) === ${before + 30}`)
    assert.equal(await page.evaluate<string>(below), label)
    assert.match(label, /^Close the session of /)
  })

  test('sessions are filtered by each of their texts, and sorted by each column', async (t) => {
    const { page, ...tab } = await openLivePage(t, busy.browser, busy.url)
    await tab.lists('sessions', /./)
    const all = Number(/^(\d+)/.exec(await tab.text('#sessions-said'))?.[1])
    for (const text of [viewer(7).user, viewer(7).address, 'Kodi', 'SPORT-1']) {
      await page.fill('#filter', text)
      await tab.reads('#sessions-said', new RegExp(`^\\d+ of ${all} sessions$`))
      await tab.until(
        `only ${text}`,
        `(() => {
          const rows = [...document.querySelectorAll('#grid .rows [role=row]')]
          return rows.length > 0 && rows.every((row) => row.innerText.toLowerCase().includes(${JSON.stringify(text.toLowerCase())}))
        })()`,
      )
    }
    await page.fill('#filter', 'nobody has this')
    await tab.reads('#no-sessions', /No session matches/)
    await page.fill('#filter', '')
    await page.getByRole('button', { name: 'User' }).click()
    await tab.until(
      'the first user on top',
      `document.querySelector('[role=columnheader]').ariaSort === 'ascending'`,
    )
    await tab.until(
      'users in order',
      `(() => {
        const users = [...document.querySelectorAll('#grid .rows .of-user .text')].map(({ innerText }) => innerText)
        return users.length > 5 && users.join() === users.toSorted().join()
      })()`,
    )
  })
})
