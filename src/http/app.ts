import type { IncomingMessage } from 'node:http'
import { type Context, Hono } from 'hono'
import { HoldfastError, recordOf } from '../model/errors.ts'
import { checkBinding, checkNames, checkToken, isPeer } from './access.ts'
import { readJson } from './body.ts'
import { chatRoutes } from './chat/routes.ts'
import type { AppDeps } from './deps.ts'
import { errorResponse, statusOf } from './errors.ts'
import { controlRoutes } from './native/control.ts'
import { gatewayRoutes } from './native/gateway.ts'
import { jobRoutes } from './native/jobs.ts'
import { laneRoutes } from './native/lanes.ts'
import { recoveryRoutes } from './native/recovery.ts'
import { retentionRoutes } from './native/retention.ts'
import { sessionRoutes } from './native/sessions.ts'
import { summaryRoutes } from './native/summaries.ts'
import { turnRoutes } from './native/turns.ts'
import { openApiRoute } from './openapi.ts'
import { checked, type Route } from './route.ts'
import { healthRoutes } from './watch/health.ts'

/**
 * How a request came: `listen` says it. Nothing at all is a call from inside the process, which is trusted as the
 * local socket is; a request that has a connection and does not say is taken for one from the network.
 */
interface Arrival {
  Bindings: { via?: 'tcp' | 'socket'; incoming?: IncomingMessage }
}

export type App = Hono<Arrival>

export function routesOf(deps: AppDeps): Route[] {
  const routes = [
    ...chatRoutes(deps),
    ...sessionRoutes(deps),
    ...turnRoutes(deps),
    ...summaryRoutes(deps),
    ...jobRoutes(deps),
    ...retentionRoutes(deps),
    ...gatewayRoutes(deps),
    ...laneRoutes(deps),
    ...controlRoutes(deps),
    ...recoveryRoutes(deps),
    ...healthRoutes(deps),
  ]
  return [...routes, openApiRoute(routes, deps.version)]
}

/**
 * The whole API as one function from requests to responses.
 * @throws HoldfastError CONFIG_INVALID when it would be open to the network without a token
 */
export function createApp(deps: AppDeps): App {
  const { access, log, clock } = deps
  checkBinding(access.host, access.token !== null)
  const routes = routesOf(deps)
  const openPaths = new Set(routes.filter((route) => route.open).map((route) => route.path))
  const app: App = new Hono()

  app.use(async (c, next) => {
    const startedMs = clock.steadyMs()
    await next()
    c.res.headers.set('x-content-type-options', 'nosniff')
    c.res.headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
    const facts = { method: c.req.method, status: c.res.status, ms: Math.round(clock.steadyMs() - startedMs) }
    log.debug({ ...facts, path: c.req.path }, 'request')
  })

  app.use(async (c, next) => {
    if (!isTrusted(c)) {
      const { localAddress, localPort } = c.env.incoming?.socket ?? {}
      checkNames(c.req.raw.headers, access, { localAddress, localPort })
      const authorization = c.req.header('authorization') ?? null
      const needsToken = access.token !== null && !openPaths.has(c.req.path)
      const isFollowing = c.req.method === 'GET' && /^\/v1\/turns\/[^/]+\/events$/.test(c.req.path)
      const mayFollow = isFollowing && isPeer(authorization, access.peerToken)
      if (needsToken && !mayFollow) checkToken(authorization, access.token as string)
    }
    await next()
  })

  for (const route of routes) mount(app, route, deps)
  app.notFound(() => errorResponse(recordOf(new HoldfastError('NOT_FOUND'))))
  app.onError((error, c) => {
    if (c.req.raw.signal.aborted) return new Response(null, { status: clientGone })
    const record = recordOf(error)
    if (record.code === 'INTERNAL')
      log.error({ name: error.name, stack: framesOf(error) }, 'a request failed unexpectedly')
    else if (statusOf(record.code) >= 500) log.warn({ code: record.code, ...record.facts }, 'a request failed')
    return errorResponse(record)
  })
  return app
}

/** Nobody reads it; the number is nginx's for a client that has closed its connection. */
const clientGone = 499

function mount(app: App, route: Route, { metrics, bodyMax }: AppDeps): void {
  app.on(route.method.toUpperCase(), route.path.replaceAll(/\{(\w+)\}/g, ':$1'), async (c) => {
    const isStream = route.reply.contentType === 'text/event-stream'
    if (isStream && c.req.raw.method === 'HEAD') return new Response() // nobody would ever end what it opens
    const params = checked(route.params, c.req.param(), 'the path')
    const query = checked(route.query, c.req.query(), 'the query')
    const body =
      route.body === null
        ? null
        : checked(route.body, await readJson(c.req.raw, bodyMax, metrics.telemetry), 'the body')
    const answer = await route.handle({ params, query, body, request: c.req.raw, trusted: isTrusted(c) })
    return answer instanceof Response ? answer : Response.json(answer, { status: route.reply.status })
  })
}

function isTrusted(c: Context<Arrival>): boolean {
  const { via, incoming } = c.env ?? {}
  return via === 'socket' || (via === undefined && incoming === undefined)
}

/** Where it happened, without the message: that one can hold what people wrote. */
function framesOf(error: Error): string {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .join('\n')
}
