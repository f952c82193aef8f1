import { element, find } from './elements.js'
import { clock, count, plain } from './format.js'

/**
 * Users who were refused or displaced in the last hour, because others played under their name. Hidden while
 * there are none.
 * @param {readonly import('./messages.js').RefusedUser[]} users the most refused first
 */
export function showRefusedUsers(users) {
  find('refused-users-card', HTMLElement).hidden = users.length === 0
  const rows = users.map(({ user, refused, displaced, last }) =>
    element(
      'tr',
      '',
      element('td', 'mono', plain(user)),
      element('td', '', count(refused)),
      element('td', '', count(displaced)),
      element('td', 'nowrap', clock(last, Date.now())),
    ),
  )
  find('refused-users', HTMLElement).replaceChildren(...rows)
}
