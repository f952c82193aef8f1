import { piecesOf } from '../query.ts'

/** A query for people: names in clear, of each value only its length. */
export function maskQuery(query: string): string {
  return piecesOf(query)
    .map((piece) => {
      const equals = piece.indexOf('=')
      return equals === -1 ? piece : `${piece.slice(0, equals)}=***(${piece.length - equals - 1})`
    })
    .join('&')
}
