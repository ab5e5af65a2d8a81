import { z } from 'zod'
import type { ErrorCode } from '../model/errors.ts'
import { errorBodySchema, statusOf, wireCodeOf } from './errors.ts'
import { get, json, type Reply, type Route } from './route.ts'

/** The description of the API, made from the table that mounts it. */

type Json = Record<string, unknown>

export function openApiRoute(routes: readonly Route[], version: string): Route {
  let document: Json | null = null
  const own = get({
    path: '/openapi.json',
    tag: 'Watching',
    summary: 'This description.',
    reply: json(z.looseObject({ openapi: z.string(), paths: z.looseObject({}) }), 'OpenAPI 3.1.'),
    async handle() {
      document ??= openApiOf([...routes, own], version)
      return document
    },
  })
  return own
}

/** OpenAPI 3.1, whose schemas are JSON Schema 2020-12 as zod writes it. */
export function openApiOf(routes: readonly Route[], version: string): Json {
  const components: Json = {}
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
    const { $schema: _, $defs, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json
    Object.assign(components, $defs)
    return rest
  }
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route, schemaOf) }
  }
  const document = {
    openapi: '3.1.0',
    info: { title: 'Holdfast', version, license: { name: 'MIT', identifier: 'MIT' } },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: components,
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'When the gateway has a token.' } },
    },
  }
  return JSON.parse(JSON.stringify(document).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json
}

type SchemaOf = (schema: z.ZodType, io: 'input' | 'output') => Json

function operationOf(route: Route, schemaOf: SchemaOf): Json {
  const body = route.body === null ? null : schemaOf(route.body, 'input')
  return {
    operationId: operationIdOf(route),
    tags: [route.tag],
    summary: route.summary,
    ...(route.open ? { security: [] } : {}),
    parameters: [
      ...fieldsOf(schemaOf(route.params, 'input'), 'path'),
      ...fieldsOf(schemaOf(route.query, 'input'), 'query'),
      ...route.headers.map((header) => ({ ...header, in: 'header', schema: { type: 'string' } })),
    ],
    ...(body === null ? {} : { requestBody: { content: { 'application/json': { schema: body } } } }),
    responses: { ...repliesOf(route.reply, schemaOf), ...errorsOf(route, schemaOf) },
  }
}

function operationIdOf({ method, path }: Route): string {
  return [method, ...path.split(/[/{}.]+/).filter((part) => part !== '')].join('-')
}

function fieldsOf(schema: Json, place: 'path' | 'query'): Json[] {
  const required = (schema.required ?? []) as string[]
  return Object.entries((schema.properties ?? {}) as Record<string, Json>).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }))
}

function repliesOf(reply: Reply, schemaOf: SchemaOf): Json {
  const responses: Record<string, { description: string; content: Json }> = {}
  for (const { status, contentType, description, schema } of [reply, ...reply.also]) {
    const known = responses[status]
    responses[status] = {
      description: known === undefined ? description : `${known.description} ${description}`,
      content: { ...known?.content, [contentType]: { schema: schemaOf(schema, 'output') } },
    }
  }
  return responses
}

function errorsOf({ errors, open }: Route, schemaOf: SchemaOf): Json {
  const everywhere: ErrorCode[] = open ? ['HOST_REFUSED'] : ['HOST_REFUSED', 'AUTH_REQUIRED', 'REQUEST_INVALID']
  const byStatus = Map.groupBy(new Set([...everywhere, ...errors]), statusOf)
  const content = { 'application/json': { schema: schemaOf(errorBodySchema, 'output') } }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [status, { description: codes.map(wireCodeOf).join(', '), content }]),
  )
}
