import { type ClientAnswer, request } from './client.ts'

/** A subrequest as nginx/alta-auth/server.conf sends it. Missing fields get a usual value. */
export interface GateQuestion {
  /** The client's raw request target; the path is taken from it unless given. */
  readonly uri?: string
  readonly path?: string
  readonly userAgent?: string
  readonly address?: string
  readonly origin?: string
  /** `$alta_auth_site` of the operator. */
  readonly site?: string
  readonly playbackId?: string
  readonly requestId?: string
  readonly isHead?: boolean
}

/** What nginx reads of the gate's answer; a header that was not sent is empty. */
export interface GateAnswer {
  readonly status: number
  readonly verdict: string
  readonly source: string
  readonly reason: string
  readonly sessionId: string
  /** Milliseconds until the connection was closed. */
  readonly took: number
}

/** The header lines that nginx would send for this client request. */
export function gateHeaders(question: GateQuestion): string[] {
  const { uri = '/live/index.m3u8?token=1', userAgent = 'test', address = '192.0.2.1' } = question
  const {
    path = uri.split('?')[0] ?? '',
    origin = 'http://live.example.com',
    playbackId = '',
    requestId = '',
  } = question
  return [
    `X-Original-Ip: ${address}`,
    `X-Original-Origin: ${origin}`,
    `X-Original-Path: ${path}|`,
    `X-Original-Uri: ${uri}`,
    `X-Original-Ua: ${userAgent}`,
    ...(playbackId === '' ? [] : [`X-Original-Playback-Id: ${playbackId}`]),
    ...(requestId === '' ? [] : [`X-Original-Request-Id: ${requestId}`]),
    ...(question.isHead === true ? ['X-Original-Method: HEAD'] : []),
    ...(question.site === undefined ? [] : [`X-Original-Site: ${question.site}`]),
  ]
}

/** Asks the gate directly, in nginx's place. */
export async function askGate(port: number, question: GateQuestion = {}): Promise<GateAnswer> {
  return readGateAnswer(
    await request({ port, target: '/auth', host: 'Host: alta-auth', headers: gateHeaders(question) }),
  )
}

function readGateAnswer({ status, head, took }: ClientAnswer): GateAnswer {
  const header = (name: string): string => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? ''
  return {
    status,
    verdict: header('X-Auth-Verdict'),
    source: header('X-Auth-Source'),
    reason: header('X-Auth-Reason'),
    sessionId: header('X-Session-Id'),
    took,
  }
}
