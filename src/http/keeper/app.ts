import type { IncomingMessage } from 'node:http'
import { Hono } from 'hono'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import type { KeeperStatus } from '../../openclaw/keep/status.ts'
import { checkNames } from '../access.ts'
import { errorResponse } from '../errors.ts'
import { keeperMetrics } from './metrics.ts'

export type KeeperApp = Hono<{ Bindings: { via?: 'tcp' | 'socket'; incoming?: IncomingMessage } }>

/**
 * The keeper's status and measurements, for reading only. It holds no words that people wrote and takes no token, so it is to listen on
 * loopback alone, and a page in a browser cannot ask it under another name.
 */
export function keeperApp(host: string, status: () => KeeperStatus): KeeperApp {
  const app: KeeperApp = new Hono()
  const metrics = keeperMetrics(status)
  app.use(async (c, next) => {
    const { localAddress, localPort } = c.env.incoming?.socket ?? {}
    checkNames(c.req.raw.headers, { host, token: null, peerToken: null, allowedHosts: [] }, { localAddress, localPort })
    await next()
    c.res.headers.set('x-content-type-options', 'nosniff')
    c.res.headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  })
  app.get('/healthz', (c) => c.json({ status: 'ok' }))
  app.get('/status', (c) => c.json(status()))
  app.get(
    '/metrics',
    async () => new Response(await metrics.text(), { headers: { 'content-type': metrics.contentType } }),
  )
  app.notFound(() => errorResponse(recordOf(new HoldfastError('NOT_FOUND'))))
  app.onError((error) => errorResponse(recordOf(error)))
  return app
}
