/** All checks, in the order in which they are printed. */
export const checkNames = [
  'settings',
  'backend-name',
  'backend-connection',
  'backend-certificate',
  'backend-answer',
  'backend-redirect',
  'backend-path',
  'backend-token',
  'backend-latency',
  'clock',
  'gate',
  'admin',
  'running-settings',
  'running-verdicts',
  'default-action',
  'nginx',
  'nginx-includes',
  'nginx-locations',
  'nginx-on-failure',
  'nginx-rewrites',
  'nginx-address',
  'nginx-cache',
  'nginx-timeouts',
  'nginx-upstream',
  'nginx-log',
  'channel-pattern',
  'path-credentials',
  'exposure',
] as const

/** The name of a check. */
export type CheckName = (typeof checkNames)[number]
