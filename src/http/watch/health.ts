import { z } from 'zod'
import type { AppDeps } from '../deps.ts'
import { healthSchema } from '../native/gateway.ts'
import { get, json, plainText, type Route } from '../route.ts'

const tag = 'Watching'

export function healthRoutes({ holdfast, metrics }: AppDeps): Route[] {
  return [
    get({
      path: '/healthz',
      tag,
      summary: 'Whether the process answers at all. Needs no token.',
      open: true,
      reply: json(z.strictObject({ status: z.literal('ok') }), 'It does.'),
      handle: async () => ({ status: 'ok' }),
    }),
    get({
      path: '/readyz',
      tag,
      summary: 'Whether messages would be accepted now.',
      reply: json(
        healthSchema,
        'They would. Status 503 with the same body when not: the store cannot write, or shutdown.',
      ),
      async handle() {
        const health = holdfast.health()
        return Response.json(health, { status: health.ready ? 200 : 503 })
      },
    }),
    get({
      path: '/metrics',
      tag,
      summary: 'Measurements for Prometheus.',
      reply: plainText('Prometheus text format.'),
      async handle() {
        const text = await metrics.text(holdfast)
        return new Response(text, { headers: { 'content-type': metrics.contentType } })
      },
    }),
  ]
}
