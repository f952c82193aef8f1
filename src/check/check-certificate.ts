import { type Finding, failed, ok, warning } from './finding.ts'
import type { Inspected } from './inspect-certificate.ts'

const DAY = 86_400_000
/** Whoever renews by a timer has done so with a third of the time left; milliseconds. */
const LATE = 14 * DAY
const LATE_SHARE = 1 / 5
const SHOWN_NAMES = 4

const notTls = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/
const unknownAuthority = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_UNTRUSTED)/

/** Judges one certificate. `now` is the wall clock in milliseconds. */
export function checkCertificate(host: string, inspected: Inspected, now: number): Finding {
  const name = 'backend-certificate'
  if (inspected.kind === 'silent')
    return failed(
      name,
      'the TLS handshake gets no answer',
      'is it a port for https://? See the log of the backend',
    )
  if (inspected.kind === 'failed') {
    return notTls.test(inspected.code)
      ? failed(
          name,
          'the backend speaks plain HTTP there, no TLS',
          'write http:// in BACKEND_URL, or the port for TLS',
        )
      : failed(
          name,
          `the TLS handshake failed: ${inspected.code}`,
          'does the backend want a certificate of ours, or only versions of TLS below 1.2? Neither is possible; see its log',
        )
  }
  const { certificate, problem, ms } = inspected
  const from = Date.parse(certificate.valid_from)
  const until = Date.parse(certificate.valid_to)
  const names = namesOf(certificate.subjectaltname ?? '')
  const days = Math.floor((until - now) / DAY)
  const detail = {
    host,
    ms,
    names,
    until: certificate.valid_to,
    days,
    ...(problem === undefined ? {} : { problem }),
  }
  const day = Number.isNaN(until) ? 'an unknown day' : new Date(until).toISOString().slice(0, 10)

  if (problem === 'CERT_HAS_EXPIRED')
    return failed(
      name,
      `the certificate expired on ${day}`,
      'renew it on the backend, and reload its web server',
      detail,
    )
  if (problem === 'CERT_NOT_YET_VALID')
    return failed(name, 'the certificate is not valid yet', 'is the clock of this machine right?', detail)
  if (problem === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const remedy = `write the name of the certificate in BACKEND_URL, or get a certificate for ${host}`
    return failed(name, `the certificate is for ${names}, not for ${host}`, remedy, detail)
  }
  if (problem !== undefined && unknownAuthority.test(problem)) {
    const remedy =
      'an authority of your own: NODE_EXTRA_CA_CERTS= its file, in the environment of the gate and of this check (not in .env). A public one: send the intermediate certificates along'
    return failed(
      name,
      `nobody whom this machine trusts vouches for the certificate (${problem})`,
      remedy,
      detail,
    )
  }
  if (problem !== undefined)
    return failed(name, `the certificate is not acceptable: ${problem}`, 'replace it on the backend', detail)
  if (until - now < Math.min(LATE, (until - from) * LATE_SHARE)) {
    const left = days < 1 ? 'less than a day' : days === 1 ? 'one day' : `${days} days`
    const remedy = 'renew it now; does the timer that should renew it run?'
    return warning(name, `the certificate expires in ${left}, on ${day}`, remedy, detail)
  }
  return ok(
    name,
    `valid for ${names} until ${day}, ${days === 1 ? '1 day' : `${days} days`} (${ms} ms)`,
    detail,
  )
}

/** `DNS:a.example.com, IP Address:192.0.2.1`, for people; some certificates have a hundred. */
function namesOf(alternatives: string): string {
  const names = alternatives.split(', ').map((name) => name.replace(/^(?:DNS|IP Address):/, ''))
  const shown = names.slice(0, SHOWN_NAMES).join(', ') || 'no name'
  return names.length > SHOWN_NAMES ? `${shown} and ${names.length - SHOWN_NAMES} more` : shown
}
