import type { DatabaseSync } from 'node:sqlite'
import { HoldfastError } from '../../model/errors.ts'
import { unsafe } from '../files/failure.ts'

/** Schemas of an agent's database that are known: 19 of 2026.8.2 to 2026.9.4, 23 of 2026.9.6. Between them are releases for testers. */
const schemas = [19, 23] as const
export type Schema = (typeof schemas)[number]

export interface Place {
  /** Absolute, links resolved. */
  path: string
  agentId: string
}

/**
 * What it says of itself, in its header and in its table about itself, is one of the schemas and this agent's.
 * @throws HoldfastError HOME_GENERATION, HOME_UNSAFE
 */
export function schemaOf(db: DatabaseSync, { path, agentId }: Place): Schema {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  const meta = metaOf(db)
  if (meta === undefined) throw unknown(path, `it says nothing of itself (version ${version})`)
  if (meta.role !== 'agent') throw unknown(path, `it is no database of an agent, but of the role ${meta.role}`)
  if (meta.version !== version) {
    throw unsafe(path, `its header says schema ${version}, its table schema ${meta.version}`)
  }
  const known = schemas.find((schema) => schema === version)
  if (known === undefined) {
    const from = meta.app === null ? '' : `, written by ${meta.app}`
    throw unknown(path, `schema ${version}${from}; known are ${schemas.join(' and ')}`)
  }
  if (meta.agentId !== agentId) throw unsafe(path, `it says that it is of agent ${meta.agentId}`)
  return known
}

interface Meta {
  role: string
  version: number
  agentId: string | null
  app: string | null
}

function metaOf(db: DatabaseSync): Meta | undefined {
  const tables = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_meta'").get()
  if (tables === undefined) return undefined
  const row = db
    .prepare(
      `SELECT role, schema_version AS version, agent_id AS agentId, substr(app_version, 1, 40) AS app
       FROM schema_meta WHERE meta_key = 'primary'`,
    )
    .get()
  return row as unknown as Meta | undefined
}

function unknown(path: string, because: string): HoldfastError {
  return new HoldfastError('HOME_GENERATION', { because: `${path}: ${because}` })
}
