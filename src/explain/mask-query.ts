import { piecesOf } from '../subrequest.ts'

/**
 * A query for people: names stay, of each value only its length is shown. A part without `=` counts as a
 * value.
 */
export function maskQuery(query: string): string {
  return piecesOf(query)
    .map((piece) => {
      const equals = piece.indexOf('=')
      return equals === -1
        ? maskText(piece)
        : `${piece.slice(0, equals)}=${maskText(piece.slice(equals + 1))}`
    })
    .join('&')
}

/** The length of a text in place of the text; an empty text stays empty. */
export function maskText(text: string): string {
  return text === '' ? '' : `***(${text.length})`
}
