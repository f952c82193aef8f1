import { piecesOf } from '../subrequest.ts'

/** A query for people: names in clear, of each value only its length. What has no `=` may be a value itself. */
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

/** Of a text only its length; nothing stays nothing. */
export function maskText(text: string): string {
  return text === '' ? '' : `***(${text.length})`
}
