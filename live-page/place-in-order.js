/**
 * Puts lines into their order without moving the one that has the focus, which would lose it.
 * @param {HTMLElement} body
 * @param {readonly HTMLElement[]} lines all that are in it, and new ones
 */
export function placeInOrder(body, lines) {
  let at = body.firstElementChild
  for (const line of lines) {
    if (line.contains(document.activeElement)) {
      // What stands before it comes later: to the end with it, from where it is fetched in its turn.
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
