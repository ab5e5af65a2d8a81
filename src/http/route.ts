import { z } from 'zod'
import { type ErrorCode, HoldfastError } from '../model/errors.ts'
import { parseSessionKey, type SessionKey } from '../model/keys.ts'

/**
 * One row of the route table. The table both mounts the handlers and makes the OpenAPI document, so neither can
 * know a route that the other does not.
 */
export interface Route {
  method: 'get' | 'post' | 'patch' | 'delete'
  /** With `{names}`, as OpenAPI writes it. */
  path: string
  tag: string
  summary: string
  params: z.ZodType
  query: z.ZodType
  headers: readonly HeaderNote[]
  /** Null: the request has no body, or none is read. */
  body: z.ZodType | null
  reply: Reply
  errors: readonly ErrorCode[]
  /** Answered without a token, for probes. */
  open: boolean
  handle(input: RouteInput<unknown, unknown, unknown>): Promise<unknown>
}

interface HeaderNote {
  name: string
  description: string
}

export interface Reply {
  status: 200 | 202
  contentType: 'application/json' | 'text/event-stream' | 'text/plain'
  description: string
  /** Of the body; of one event's data for a stream. */
  schema: z.ZodType
  /** Other shapes that the same route can answer with, when it is asked to. */
  also: readonly Reply[]
}

interface RouteInput<Params, Query, Body> {
  params: Params
  query: Query
  body: Body
  request: Request
  /** Over the local socket or from inside the process: may name files of this machine. */
  trusted: boolean
}

const noFields = z.strictObject({})
type NoFields = typeof noFields

interface RouteSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  path: string
  tag: string
  summary: string
  params?: P
  query?: Q
  headers?: readonly HeaderNote[]
  body?: B
  reply: Reply
  errors?: readonly ErrorCode[]
  open?: boolean
  /** Gives the JSON of the reply, or a whole response. */
  handle(input: RouteInput<z.output<P>, z.output<Q>, z.output<B>>): Promise<unknown>
}

function routeBy(method: Route['method']) {
  return <P extends z.ZodType = NoFields, Q extends z.ZodType = NoFields, B extends z.ZodType = NoFields>(
    spec: RouteSpec<P, Q, B>,
  ): Route => ({
    method,
    path: spec.path,
    tag: spec.tag,
    summary: spec.summary,
    params: spec.params ?? noFields,
    query: spec.query ?? noFields,
    headers: spec.headers ?? [],
    body: spec.body ?? null,
    reply: spec.reply,
    errors: spec.errors ?? [],
    open: spec.open ?? false,
    // `mount` gives a handler exactly what these schemas have parsed
    handle: spec.handle as Route['handle'],
  })
}

export const get = routeBy('get')
export const post = routeBy('post')
export const patch = routeBy('patch')
export const del = routeBy('delete')

export function json(schema: z.ZodType, description: string, status: Reply['status'] = 200): Reply {
  return { status, contentType: 'application/json', description, schema, also: [] }
}

export function events(schema: z.ZodType, description: string): Reply {
  return { status: 200, contentType: 'text/event-stream', description, schema, also: [] }
}

export function plainText(description: string): Reply {
  return { status: 200, contentType: 'text/plain', description, schema: z.string(), also: [] }
}

// ---------------------------------------------------------------- what routes take

/** A short key stands for `agent:main:<key>`. */
export const keyParam = z
  .string()
  .transform((text): SessionKey => parseSessionKey(text))
  .describe('A session key, whole or short.')

export const withKey = z.strictObject({ key: keyParam })

export function wholeNumber(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`
  return z
    .string({ error })
    .regex(/^\d{1,15}$/, { error })
    .transform(Number)
    .pipe(z.number().min(least, { error }).max(most, { error }))
}

export function pageLimit(most: number, usual: number) {
  return wholeNumber(1, most).prefault(String(usual)).describe(`How many at most; ${usual} unless told.`)
}

export const pageAfter = z.string().min(1).max(1_000).optional().describe('`next` of the page before.')

export function yesOrNo() {
  return z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true')
}

export function oneOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, { error: `must be one of ${names.join(', ')}` })
}

/** `?status=queued,running`. */
export function listOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(oneOf(names)).min(1))
}

/** Checks a part of a request and names the field that is at fault. @throws HoldfastError REQUEST_INVALID */
export function checked<S extends z.ZodType>(schema: S, input: unknown, whole: string): z.output<S> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const lines = result.error.issues.map((issue) => {
    const param = paramOf(issue.path)
    return { param, text: `${param === '' ? whole : param}: ${issue.message}` }
  })
  const more = lines.length > problemsMax ? ` (and ${lines.length - problemsMax} more)` : ''
  const told = lines.slice(0, problemsMax).map(({ text }) => text)
  throw new HoldfastError('REQUEST_INVALID', { because: told.join('; ') + more, param: lines[0]?.param || whole })
}

const problemsMax = 5

/** `messages[2].content`, as OpenAI writes it. */
function paramOf(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`))
    .join('')
}
