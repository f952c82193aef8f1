const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/**
 * A viewer's text that can be shown: each character that is invisible, or changes the direction of the text,
 * is replaced by its number.
 * @param {string} text
 */
export function plain(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu, (found) => {
    return `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`
  })
}

/**
 * A whole number, as `20,000`.
 * @param {number} number
 */
export function count(number) {
  return whole.format(number)
}

/**
 * How many of something: `1 session`, `20,000 sessions`.
 * @param {number} number
 * @param {string} noun
 */
export function counted(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`
}

/**
 * A rate per second, with one decimal below 10.
 * @param {number} perSecond
 */
export function rate(perSecond) {
  return (perSecond < 10 ? tenths : whole).format(perSecond)
}

/**
 * A time, such as `8.5 ms` or `1.2 s`; a dash when there is none.
 * @param {number | null | undefined} ms
 */
export function milliseconds(ms) {
  if (ms === null || ms === undefined) return '–'
  if (ms >= 1_000) return `${tenths.format(ms / 1_000)} s`
  return `${(ms < 10 ? tenths : whole).format(ms)} ms`
}

/**
 * The two largest units of a time.
 * @param {number} seconds
 */
export function duration(seconds) {
  const left = Math.max(0, Math.floor(seconds))
  if (left < 60) return `${left} s`
  const minutes = Math.floor(left / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/**
 * The time of day in this time zone, and the date when it is not today.
 * @param {string} iso
 * @param {number} now milliseconds since 1970
 */
export function clock(iso, now) {
  const then = new Date(iso)
  if (Number.isNaN(then.getTime())) return '–'
  const isToday = day.format(then) === day.format(now)
  return isToday ? time.format(then) : `${day.format(then)}, ${time.format(then)}`
}

const browsers = [
  ['Edge', /\bEdg(?:e|A|iOS)?\/(\d+)/],
  ['Opera', /\bOPR\/(\d+)/],
  ['Firefox', /\b(?:Firefox|FxiOS)\/(\d+)/],
  ['Chrome', /\b(?:Headless)?(?:Chrome|CriOS)\/(\d+)/],
  ['Safari', /\bVersion\/(\d+)[\d.]* (?:Mobile\/\w+ )?Safari\//],
  ['AppleCoreMedia', /^AppleCoreMedia\/([\d.]+)/],
]

/**
 * A User-Agent in a few words: the name of a browser, or the first word of any other.
 * @param {string} userAgent
 */
export function player(userAgent) {
  for (const [name, pattern] of browsers) {
    const version = pattern instanceof RegExp ? pattern.exec(userAgent)?.[1] : undefined
    if (version !== undefined) return `${name} ${version}`
  }
  const [first = '', second = ''] = userAgent.split(' ')
  return plain(first.includes('/') || second === '' ? first.replace('/', ' ') : userAgent)
}
