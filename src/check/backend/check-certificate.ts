import { type Finding, findingsOf } from '../finding.ts'
import type { Inspected } from './inspect-certificate.ts'

const { ok, warning, failed } = findingsOf('backend-certificate')
const DAY = 86_400_000
/**
 * Certificates are usually renewed when a third of their time is left. With less than this share, and less
 * than these milliseconds, the renewal has failed.
 */
const LATE_SHARE = 1 / 5
const LATE = 14 * DAY
const SHOWN_NAMES = 4

const notTls = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/
const unknownAuthority = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_UNTRUSTED)/

/** For machines. `until` is written as in the certificate. */
type Figures = Readonly<{ host: string; ms: number; names: string; until: string; days: number }>

/** Checks one certificate. @param now wall clock in milliseconds */
export function checkCertificate(host: string, inspected: Inspected, now: number): Finding {
  if (inspected.kind !== 'shown') return judgeHandshake(inspected)
  const { certificate, problem, ms } = inspected
  const [from, until] = [Date.parse(certificate.valid_from), Date.parse(certificate.valid_to)]
  const day = Number.isNaN(until) ? 'an unknown day' : new Date(until).toISOString().slice(0, 10)
  const days = Math.floor((until - now) / DAY)
  const names = namesOf(certificate.subjectaltname ?? '')
  const figures: Figures = { host, ms, names, until: certificate.valid_to, days }
  if (problem !== undefined) return judgeProblem(problem, day, figures)
  return judgeTime(until - now < Math.min(LATE, (until - from) * LATE_SHARE), day, figures)
}

function judgeHandshake(inspected: Exclude<Inspected, { kind: 'shown' }>): Finding {
  if (inspected.kind === 'silent') {
    const remedy = 'is it a port for https://? See the log of the backend'
    return failed('the TLS handshake gets no answer', remedy)
  }
  if (notTls.test(inspected.code)) {
    const remedy = 'write http:// in BACKEND_URL, or the port for TLS'
    return failed('the backend speaks plain HTTP there, no TLS', remedy)
  }
  const remedy =
    'does the backend want a certificate of ours, or only versions of TLS below 1.2? Neither is possible; see its log'
  return failed(`the TLS handshake failed: ${inspected.code}`, remedy)
}

function judgeProblem(problem: string, day: string, figures: Figures): Finding {
  const { host, names } = figures
  const told = (sentence: string, remedy: string): Finding =>
    failed(sentence, remedy, { ...figures, problem })
  switch (problem) {
    case 'CERT_HAS_EXPIRED':
      return told(`the certificate expired on ${day}`, 'renew it on the backend, and reload its web server')
    case 'CERT_NOT_YET_VALID':
      return told('the certificate is not valid yet', 'is the clock of this machine right?')
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return told(
        `the certificate is for ${names}, not for ${host}`,
        `write the name of the certificate in BACKEND_URL, or get a certificate for ${host}`,
      )
  }
  if (!unknownAuthority.test(problem))
    return told(`the certificate is not acceptable: ${problem}`, 'replace it on the backend')
  return told(
    `nobody whom this machine trusts vouches for the certificate (${problem})`,
    'an authority of your own: NODE_EXTRA_CA_CERTS= its file, in the environment of the gate and of this check (not in .env). A public one: send the intermediate certificates along',
  )
}

function judgeTime(isLate: boolean, day: string, figures: Figures): Finding {
  const { names, days, ms } = figures
  if (isLate) {
    const left = days < 1 ? 'less than a day' : days === 1 ? 'one day' : `${days} days`
    const remedy = 'renew it now; does the timer that should renew it run?'
    return warning(`the certificate expires in ${left}, on ${day}`, remedy, figures)
  }
  const left = days === 1 ? '1 day' : `${days} days`
  return ok(`valid for ${names} until ${day}, ${left} (${ms} ms)`, undefined, figures)
}

/**
 * Names for people, such as `DNS:a.example.com, IP Address:192.0.2.1`, shortened: some certificates have a
 * hundred.
 */
function namesOf(alternatives: string): string {
  const names = alternatives.split(', ').map((name) => name.replace(/^(?:DNS|IP Address):/, ''))
  const shown = names.slice(0, SHOWN_NAMES).join(', ') || 'no name'
  return names.length > SHOWN_NAMES ? `${shown} and ${names.length - SHOWN_NAMES} more` : shown
}
