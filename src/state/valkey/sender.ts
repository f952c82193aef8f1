import type { Connection, Parameter } from './connect.ts'
import type { Script } from './scripts.ts'
import { isReply } from './valkey-trouble.ts'

/** Sends commands on one connection, for as long as that lasts. */
export interface Sender {
  call(name: string, parameters: readonly Parameter[], asking?: boolean): Promise<unknown>
  run(
    script: Script,
    keys: readonly string[],
    parameters: readonly Parameter[],
    asking?: boolean,
  ): Promise<unknown>
}

export function createSender(connection: Connection | undefined): Sender {
  /** Scripts that were sent in full. */
  const sent = new Set<string>()

  const call: Sender['call'] = (name, parameters, asking = false) => {
    if (connection === undefined) return Promise.reject(new Error('connection is closed'))
    return asking ? connection.callAsking(name, parameters) : connection.call(name, parameters)
  }

  return {
    call,
    async run(script, keys, parameters, asking) {
      const rest = [keys.length, ...keys, ...parameters]
      // In full the first time, so that no later command overtakes it.
      if (!sent.has(script.digest)) {
        sent.add(script.digest)
        return await call('EVAL', [script.lua, ...rest], asking)
      }
      try {
        return await call('EVALSHA', [script.digest, ...rest], asking)
      } catch (error) {
        if (!isReply(error, 'NOSCRIPT')) throw error
        return await call('EVAL', [script.lua, ...rest], asking)
      }
    },
  }
}
