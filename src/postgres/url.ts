import { readFileSync } from 'node:fs'
import { HoldfastError } from '../model/errors.ts'
import type { ConnectionSettings } from './threads/data.ts'

/** Where a store is, read from its address. */
export interface DatabasePlace {
  connection: ConnectionSettings
  /** The schema that holds its tables. */
  schema: string
  /** Connections that one gateway opens at most. */
  connectionsMax: number
}

/** Whether a text is meant to be the address of a database, and no directory. */
export const isDatabaseUrl = (text: string): boolean => /^postgres(ql)?:/i.test(text)

const sslModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const

/** Parameters of the address, with what each is for; any other is refused, because a misspelt one would be silently without effect. */
const parameters = [
  'schema',
  'pool',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'application_name',
  'host',
] as const
type Parameter = (typeof parameters)[number]

const schemaDefault = 'holdfast'
/** Each is a process on the server; eight keep one gateway's threads busy. */
const poolDefault = 8
const poolMax = 100

/**
 * `postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=…`. Without `sslmode` the server's certificate is verified in full, unless it
 * is on this machine. A password that is left out comes from PGPASSWORD or PGPASSFILE.
 * @throws HoldfastError STORE_URL_INVALID
 */
export function parseDatabaseUrl(text: string): DatabasePlace {
  const url = parsed(text)
  const given = parametersOf(url)
  const host = given.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1')
  const database = decodeURIComponent(url.pathname.slice(1))
  if (host === '') throw invalid('it names no host')
  if (url.username === '') throw invalid('it names no user')
  if (database === '' || database.includes('/')) throw invalid('it names no database')
  return {
    connection: {
      host,
      port: url.port === '' ? 5432 : Number(url.port),
      user: decodeURIComponent(url.username),
      password: url.password === '' ? undefined : decodeURIComponent(url.password),
      database,
      ssl: sslOf(host, given),
      application_name: given.get('application_name') ?? 'holdfast',
    },
    schema: schemaOf(given.get('schema') ?? schemaDefault),
    connectionsMax: poolOf(given.get('pool')),
  }
}

/** The address without what is secret in it: for people, logs and files. */
export function describeDatabase(text: string): string {
  const { connection, schema } = parseDatabaseUrl(text)
  const { user, host, port, database } = connection
  const name = host.includes(':') ? `[${host}]` : host
  return `postgres://${encodeURIComponent(user)}@${host.startsWith('/') ? encodeURIComponent(host) : name}:${port}/${encodeURIComponent(database)}?schema=${schema}`
}

function parsed(text: string): URL {
  if (!isDatabaseUrl(text)) throw invalid('it does not begin with postgres://')
  const url = URL.parse(text)
  if (url === null) throw invalid('it is no URL')
  if (url.hash !== '') throw invalid('it has a fragment: a # in a password is written as %23')
  return url
}

function parametersOf(url: URL): Map<Parameter, string> {
  const given = new Map<Parameter, string>()
  for (const [name, value] of url.searchParams) {
    if (!(parameters as readonly string[]).includes(name)) throw invalid(`there is no parameter "${name}"`)
    if (given.has(name as Parameter)) throw invalid(`the parameter "${name}" is there twice`)
    given.set(name as Parameter, value)
  }
  return given
}

/** A plain name: it is written into statements, quoted, and into what people type. */
function schemaOf(name: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name) && !name.startsWith('pg_')) return name
  throw invalid('the schema is a name of small letters, digits and _, at most 63')
}

function poolOf(text: string | undefined): number {
  if (text === undefined) return poolDefault
  const connections = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (connections >= 2 && connections <= poolMax) return connections
  throw invalid(`the pool has 2 to ${poolMax} connections`)
}

function sslOf(host: string, given: ReadonlyMap<Parameter, string>): ConnectionSettings['ssl'] {
  const mode = given.get('sslmode') ?? (isHere(host) ? 'disable' : 'verify-full')
  if (!(sslModes as readonly string[]).includes(mode)) {
    throw invalid(
      `sslmode is one of ${sslModes.join(', ')}: others may fall back to a connection that anybody can read`,
    )
  }
  if (mode === 'disable') return false
  const files = { ca: given.get('sslrootcert'), cert: given.get('sslcert'), key: given.get('sslkey') }
  const read = Object.entries(files).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, fileOf(path)] as const],
  )
  const checksName = mode === 'verify-full'
  return { rejectUnauthorized: mode !== 'require', checksName, ...Object.fromEntries(read) }
}

function fileOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw invalid(`${path} cannot be read (${code})`)
  }
}

/** Nobody else is on the way there. */
function isHere(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** Never with the address itself, which may hold a password. */
function invalid(because: string): HoldfastError {
  return new HoldfastError('STORE_URL_INVALID', { because })
}
