import { ALLOW_SECONDS, DENY_SECONDS, MAX_VERDICTS } from './contender.ts'

/** The settings of alta-auth with which nothing is forgotten between two runs. */
export const patientSettings: Readonly<Record<string, string>> = {
  ALLOW_TTL: `${ALLOW_SECONDS}s`,
  DENY_TTL: `${DENY_SECONDS}s`,
  SESSION_IDLE: `${ALLOW_SECONDS}s`,
  MAX_SESSIONS: String(MAX_VERDICTS),
}
