/**
 * The element with this id.
 * @throws when the page has none of this kind
 * @template {Element} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function find(id, kind) {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} named ${id}`)
  return found
}

/**
 * A new element. Content is text, never markup, because much of it comes from viewers.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} className
 * @param {(string | Node)[]} content
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, className, ...content) {
  const made = document.createElement(name)
  if (className !== '') made.className = className
  made.append(...content)
  return made
}

/**
 * A new element of SVG.
 * @param {string} name
 * @param {Readonly<Record<string, string>>} attributes
 * @param {Node[]} content
 * @returns {SVGElement}
 */
export function drawn(name, attributes, ...content) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value)
  made.append(...content)
  return made
}

/**
 * Sets a text if it differs. An equal text would cost layout, and end a selection.
 * @param {Element} shown
 * @param {string} text
 */
export function setText(shown, text) {
  if (shown.textContent !== text) shown.textContent = text
}

/**
 * A short label. Its colour and its text say the same.
 * @param {HTMLElement} shown
 * @param {string} text
 * @param {'good' | 'bad' | 'warm' | ''} tone
 */
export function setPill(shown, text, tone) {
  setText(shown, text)
  shown.dataset.tone = tone
}
