/**
 * Puts rows in order without moving the row that has the focus, which would lose it.
 * @param {HTMLElement} body
 * @param {readonly HTMLElement[]} lines all rows that are in it, and new ones
 */
export function placeInOrder(body, lines) {
  let at = body.firstElementChild
  for (const line of lines) {
    if (line.contains(document.activeElement)) {
      // This row belongs after the one that has the focus. It moves to the end, until its turn comes.
      while (at !== null && at !== line) {
        const next = at.nextElementSibling
        body.append(at)
        at = next
      }
    }
    if (line === at) at = at.nextElementSibling
    else body.insertBefore(line, at)
  }
}
