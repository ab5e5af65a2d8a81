import type { Clock } from '../../host/clock.ts'
import { HoldfastError } from '../../model/errors.ts'
import { localOrigin, socketFetch } from './fetch.ts'
import { type Probe, probeLimitMs } from './plan.ts'

/** Does a gateway answer behind this socket? */
export async function probeSocket(socketPath: string, clock: Clock): Promise<Probe> {
  const limit = new AbortController()
  const request = new Request(`${localOrigin}/healthz`, { signal: limit.signal })
  const answer = socketFetch(socketPath)(request).then(
    async (response): Promise<Probe> => {
      await response.body?.cancel()
      return 'answers'
    },
    (error: NodeJS.ErrnoException): Probe => {
      if (limit.signal.aborted) return 'silent'
      if (error.code !== undefined && nobodyListens.includes(error.code)) return 'nobody'
      if (error.code === 'EACCES') throw new HoldfastError('STORE_PERMISSION', { path: socketPath }, { cause: error })
      throw error
    },
  )
  const silence = clock.sleep(probeLimitMs, limit.signal).then(
    (): Probe => 'silent',
    (): Probe => 'silent',
  )
  try {
    return await Promise.race([answer, silence])
  } finally {
    limit.abort()
  }
}

/** The file is gone, nobody accepts, the process ended meanwhile, or it is not a socket (`ENOTSOCK`). */
const nobodyListens = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTSOCK']
