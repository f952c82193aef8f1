import { element } from './elements.js'
import { columns } from './session-row.js'

/** @type {Readonly<Record<import('./session-list.js').Column, string>>} */
const headings = {
  user: 'User',
  channel: 'Channel',
  address: 'Address',
  player: 'Player',
  since: 'Since',
  requests: 'Requests',
}

/**
 * The first row of the grid: a button in each column that sorts by it.
 * @param {import('./session-list.js').SessionList} list
 */
export function createSessionHeads(list) {
  const line = element('div', 'line')
  line.role = 'row'
  line.ariaRowIndex = '1'
  const head = element('div', 'head', line)
  head.role = 'rowgroup'
  const cells = columns.map((column) => {
    const cell = element(
      'div',
      `of-${column}`,
      column === 'close' ? element('span', 'unseen', 'Close') : createButton(column),
    )
    cell.role = 'columnheader'
    line.append(cell)
    return { column, cell }
  })

  /** @param {import('./session-list.js').Column} column */
  function createButton(column) {
    const button = element('button', 'sort', headings[column])
    button.type = 'button'
    button.addEventListener('click', () => list.sortBy(column))
    return button
  }
  return {
    head,
    /** Marks the column by which the rows are sorted. */
    show() {
      const { column: sorted, descending } = list.order()
      for (const { column, cell } of cells) {
        if (column === sorted) cell.ariaSort = descending ? 'descending' : 'ascending'
        else cell.removeAttribute('aria-sort')
      }
    },
  }
}
