import { Readable } from 'node:stream'
import type { ReadableStream as WebStream } from 'node:stream/web'

/** One way to the HTTP API: over the socket, over the network, or into an app in this process. */
export type Fetch = (request: Request) => Promise<Response>

/** The name in URLs that never leave this machine; nothing resolves it. */
export const localOrigin = 'http://holdfast.local'

/** Asks the gateway behind a Unix socket or a named pipe, which the global `fetch` cannot. */
export function socketFetch(socketPath: string): Fetch {
  return async (request) => {
    const http = await import('node:http') // a third of the start-up time, and `--help` asks nobody
    const { pathname, search } = new URL(request.url)
    const body = request.body === null ? null : Buffer.from(await request.arrayBuffer())
    const headers: Record<string, string> = Object.fromEntries(request.headers)
    if (body !== null) headers['content-length'] = String(body.length)
    return await new Promise((resolve, reject) => {
      const outgoing = http.request(
        { socketPath, path: pathname + search, method: request.method, headers, signal: request.signal },
        (incoming) => {
          const status = incoming.statusCode ?? 0
          const bodiless = status === 204 || status === 304
          const stream = bodiless ? null : (Readable.toWeb(incoming) as WebStream<Uint8Array> as ReadableStream)
          if (bodiless) incoming.resume()
          resolve(new Response(stream, { status, headers: headersOf(incoming.headers) }))
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }
}

function headersOf(found: NodeJS.Dict<string | string[]>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(found)) {
    for (const item of Array.isArray(value) ? value : [value ?? '']) headers.append(name, item)
  }
  return headers
}
