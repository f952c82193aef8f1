/** A request that cannot be answered. The message is one sentence with the cure. */
export class RequestMistake extends Error {
  override readonly name = 'RequestMistake'
  readonly status: number

  constructor(status: number, sentence: string) {
    super(sentence)
    this.status = status
  }
}
