import type { ListenAddress } from '../listen.ts'
import { ValueError } from './values.ts'

/** Reads GATE_NAME; undefined = not set. @throws {ValueError} */
export function readGateName(text: string): string | undefined {
  if (text === '') return undefined
  if (!/^[A-Za-z0-9._:/-]{1,64}$/.test(text))
    throw new ValueError('is no name of a gate; write 1 to 64 letters, digits and ._:/-')
  return text
}

/**
 * What a gate is called where GATE_NAME is not set: the host name, and the port or the file where it listens.
 * The address of a socket that systemd opened is not known.
 */
export function defaultGateName(host: string, listen: ListenAddress): string {
  switch (listen.kind) {
    case 'tcp':
      return `${host}:${listen.port}`
    case 'unix':
      return `${host}:${listen.path}`
    case 'inherited':
      return host
  }
}
