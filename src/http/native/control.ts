import { z } from 'zod'
import { HoldfastError } from '../../model/errors.ts'
import type { AppDeps, Reloaded } from '../deps.ts'
import { json, post, type Route, withKey } from '../route.ts'
import { reasonBody } from './sessions.ts'
import { turnSchema } from './shapes.ts'

const keys = z.array(z.string())

export function controlRoutes(deps: AppDeps): Route[] {
  const { holdfast } = deps
  return [
    post({
      path: '/v1/sessions/{key}/release',
      tag: 'Sessions',
      summary: 'Takes the session from the turn that runs in it, without its help. The queue is kept and goes on.',
      params: withKey,
      body: reasonBody,
      reply: json(
        z.strictObject({ turn: turnSchema.nullable() }),
        'The turn, which has failed with `TURN_RELEASED`; null when none ran.',
      ),
      errors: ['REQUEST_INVALID', 'SESSION_KEY_INVALID', 'SESSION_NOT_FOUND'],
      handle: async ({ params, body }) => ({ turn: await holdfast.release(params.key, body.reason) }),
    }),
    post({
      path: '/v1/reload',
      tag: 'Gateway',
      summary: 'Reads the configuration again, as SIGHUP does. Only over the local socket.',
      body: z.strictObject({}),
      reply: json(
        z.strictObject({ applied: keys, needsRestart: keys }) satisfies z.ZodType<Reloaded>,
        'Keys that have changed, and keys that hold from the next start on.',
      ),
      errors: ['CONFIG_INVALID', 'HOST_REFUSED', 'GATEWAY_UNREACHABLE'],
      async handle({ trusted }) {
        if (!trusted) throw new HoldfastError('HOST_REFUSED', { because: 'this is asked over the local socket only' })
        if (deps.reload === null) throw new HoldfastError('GATEWAY_UNREACHABLE', { because: 'none runs here' })
        return deps.reload()
      },
    }),
  ]
}
