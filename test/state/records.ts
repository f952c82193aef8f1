import type { SessionRecord } from '../../src/state/record.ts'
import type { Write } from '../../src/state/record-store.ts'

/** A record in which all that nobody looks at is invented. */
export function makeRecord(fields: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id: 'session-1',
    viewer: '192.0.2.7\0https://tv.example\0VLC/3.0\0',
    origin: 'https://tv.example',
    path: '/live/news/index.m3u8',
    query: 'token=s3cret&quality=hd',
    userAgent: 'VLC/3.0',
    playbackId: '',
    user: 'anna',
    openedAt: 1_000,
    lastSeen: 2_000,
    activeAt: 3_000,
    requests: 4,
    dueAt: null,
    allowedAt: 1_000,
    resumeFor: 900_000,
    part: 1,
    silent: false,
    ...fields,
  }
}

/** A write of it, which expires long after each test. */
export function makeWrite(fields: Partial<SessionRecord> = {}, expiresAt = Number.MAX_SAFE_INTEGER): Write {
  return { record: makeRecord(fields), expiresAt }
}
