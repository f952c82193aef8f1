import type { Question, Subrequest } from '../../src/subrequest.ts'

/** A question of an unknown viewer about this client request. */
export function questionAbout(subrequest: Subrequest, more: Partial<Question> = {}): Question {
  return {
    subrequest,
    sessionId: 'id',
    occasion: 'question',
    credential: true,
    knownViewer: undefined,
    ...more,
  }
}
