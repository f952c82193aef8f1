import { startChild } from './child.ts'
import type { Scope } from './scope.ts'

export interface Played {
  readonly exitCode: number | null
  /** What ffmpeg complained about. */
  readonly complaints: string
  /** Seconds from start to end. */
  readonly took: number
}

/**
 * ffmpeg as a player: fetches all variants of a stream to its end, and decodes nothing. `options` are further
 * ones of its input.
 */
export async function playWithFfmpeg(
  scope: Scope,
  url: string,
  userAgent: string,
  options: readonly string[] = [],
): Promise<Played> {
  const began = performance.now()
  const input = ['-nostdin', '-loglevel', 'error', '-user_agent', userAgent, ...options, '-i', url]
  const child = startChild(scope, 'ffmpeg', [...input, '-map', '0', '-c', 'copy', '-f', 'null', '-'])
  const exitCode = await child.exited
  return { exitCode, complaints: child.output(), took: (performance.now() - began) / 1000 }
}
