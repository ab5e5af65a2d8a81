import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { removeFileIfPresent, restrictToOwner } from '../host/files.ts'
import type { App } from './app.ts'

export type Address = { host: string; port: number } | { socketPath: string }

export interface Listener {
  /** `http://127.0.0.1:4747`; null for a socket. */
  url: string | null
  /** The port it really has, when 0 was asked for; null for a socket. */
  port: number | null
  /** Takes no new connections, ends idle ones, and waits for requests until `drainMs` are over. */
  close(drainMs: number): Promise<void>
}

/** A client that trickles its request in holds a connection and nothing else, and not for long. */
const requestMs = 120_000
const headersMs = 30_000
/** Each holds a file descriptor and some kilobytes; the usual limit of descriptors is 1,024, and the store needs some. */
const connectionsMax = 900
/** A connection on which nothing moves, such as a stream that its client does not read. An answer that takes longer is in its session. */
const idleMs = 30 * 60_000

/**
 * Listens until closed. A socket is for its owner alone (mode 0600), and what comes over it is trusted; a file that a
 * killed process left in its place is replaced, which only the owner of the data directory may ask for.
 * @throws the system's error (`EADDRINUSE`) as it is
 */
export async function listen(app: Pick<App, 'fetch'>, address: Address): Promise<Listener> {
  const via = 'socketPath' in address ? 'socket' : 'tcp'
  const server = createAdaptorServer({
    fetch: (request, env) => app.fetch(request, { ...env, via } as { via: 'tcp' | 'socket' }),
    overrideGlobalObjects: false,
    serverOptions: { requestTimeout: requestMs, headersTimeout: headersMs },
  }) as Server // http unless another `createServer` is given
  server.maxConnections = connectionsMax
  server.setTimeout(idleMs)
  if ('socketPath' in address) removeFileIfPresent(address.socketPath)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen('socketPath' in address ? { path: address.socketPath } : address, () => {
      server.off('error', reject)
      resolve()
    })
  })
  if ('socketPath' in address) restrictToOwner(address.socketPath)
  const port = portOf(server)
  return {
    url: 'host' in address ? `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}` : null,
    port,
    close: (drainMs) => closed(server, drainMs),
  }
}

function portOf(server: Server): number | null {
  const bound = server.address()
  return bound === null || typeof bound === 'string' ? null : bound.port
}

async function closed(server: Server, drainMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), drainMs)
  try {
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeIdleConnections()
    })
  } finally {
    clearTimeout(timer)
  }
}
