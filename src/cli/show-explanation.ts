import { STATUS_CODES } from 'node:http'
import type {
  ExplainedLimit,
  ExplainedQuestion,
  ExplainedStore,
  Explanation,
} from '../explain/explanation.ts'
import { printable } from '../log/printable.ts'
import type { SessionView } from '../session/session-view.ts'

/** An explanation as text, from the request at the top to the answer at the bottom. */
export function showExplanation(explanation: Explanation): string {
  const { subrequest, identity, known, questions, occasion, decision, nginx, hint } = explanation
  const sections: string[] = []
  if (subrequest !== null) {
    const { address, origin, path, query, userAgent, playbackId } = subrequest
    sections.push(
      section('What nginx tells the gate', {
        address,
        origin,
        path,
        query: orNone(query),
        'User-Agent': orNone(userAgent),
        ...(playbackId === '' ? {} : { 'playback id': playbackId }),
      }),
    )
  }
  if (identity !== null) {
    sections.push(
      section('How the gate reads it', {
        about: identity.about,
        credential: identity.credential
          ? 'yes'
          : 'no: none of TOKEN_PARAM is in the query, and CREDENTIAL_PATTERN finds none',
        'told apart by': orNone(identity.query),
        'an allow opens': identity.opens,
      }),
    )
  }
  if (known !== null) {
    sections.push(
      [
        'What is known',
        `  ${known.finding}`,
        ...(known.session === null ? [] : [`  ${showSession(known.session)}`]),
        ...(known.others.length === 0 ? [] : ['  other sessions of this address:']),
        ...known.others.map((one) => `    ${showSession(one)}`),
        // A gate of an older version says nothing of a store.
        ...(known.store ? showStore(known.store) : []),
        ...(known.limit ? showLimit(known.limit) : []),
      ].join('\n'),
    )
  }
  if (questions.length > 0) {
    sections.push([`The backend is asked: ${occasion}`, ...questions.flatMap(showQuestion)].join('\n'))
  }
  sections.push(
    section('Decision', {
      verdict: decision.verdict,
      source: decision.source,
      reason: `${decision.reason}: ${decision.why}`,
      ...(decision.user === '' ? {} : { user: decision.user }),
      ...(decision.holdsFor === 0 ? {} : { holds: holdsOf(decision.holdsFor) }),
      nginx,
    }),
  )
  // A gate of an older version says none.
  if (hint) sections.push(`Hint\n  ${hint}`)
  // A header of the backend may hold any character.
  return `${sections.join('\n\n').split('\n').map(printable).join('\n')}\n`
}

function section(title: string, rows: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(rows).map((name) => name.length))
  return [title, ...Object.entries(rows).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join(
    '\n',
  )
}

function orNone(text: string): string {
  return text === '' ? '(none)' : text
}

function holdsOf(seconds: number | null): string {
  return seconds === null ? 'for the life of the session' : `${seconds} s, then it is judged again`
}

function showSession(session: Omit<SessionView, 'lastRequest' | 'part' | 'came'>): string {
  const { session: id, channel, user, provisional, start, requests, userAgent } = session
  const who = user === '' ? '' : `, user ${user}`
  const how = provisional ? ', let in by the default action' : ''
  return `${id}: ${channel}${who}${how}, since ${start}, ${requests} requests, "${userAgent}"`
}

function showStore({ finding, sessions }: ExplainedStore): string[] {
  return [
    `  the store: ${finding}`,
    ...sessions.flatMap(({ part, lastRequest, resumableUntil, finding: becomes, ...session }) => [
      `    ${showSession(session)}`,
      `      part ${part}, last requested ${lastRequest}, ${untilOf(resumableUntil)}: ${becomes}`,
    ]),
  ]
}

function showLimit({ user, finding, plays, policy, out }: ExplainedLimit): string[] {
  return [
    `  the limit of user ${user}: ${finding} (${policy})`,
    ...plays.map(
      ({ session, address, place, since, lastRequest, is }) =>
        `    ${is}: ${place} at ${address} since ${since}, last requested ${lastRequest}, session ${session}`,
    ),
    ...(out === null ? [] : [`    ${out}`]),
  ]
}

function untilOf(resumableUntil: string | null): string {
  return resumableUntil === null ? 'not to be resumed' : `to be resumed until ${resumableUntil}`
}

function showQuestion(question: ExplainedQuestion): string[] {
  const { backend, url, headers, status, answerHeaders, failure, ms } = question
  const came = status === null ? `no answer (${failure})` : `${status} ${STATUS_CODES[status] ?? ''}`.trim()
  return [
    url === null ? `  ${backend}` : `  GET ${url}`,
    ...Object.entries(headers).map(([name, value]) => `      ${name}: ${value}`),
    `  ${came}${url === null ? '' : ` after ${ms} ms`}`,
    ...Object.entries(answerHeaders).map(([name, value]) => `      ${name}: ${value}`),
  ]
}
