import { isHoldfastError } from '../../model/errors.ts'
import { versionIn } from '../home/config.ts'
import { openDatabase } from './open.ts'

/**
 * The release that wrote a state database (`state/openclaw.sqlite`) last; null where it names none, or its schema has no such place. A
 * few rows, so they are read where they are asked for. @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE
 */
export function releaseOf(stateDatabase: string): string | null {
  try {
    using opened = openDatabase(stateDatabase)
    const rows = opened.db.prepare('SELECT app_version AS release FROM schema_meta ORDER BY updated_at DESC LIMIT 20')
    const named = rows.all().map(({ release }) => versionIn(release))
    return named.find((release) => release !== null) ?? null
  } catch (error) {
    if (isHoldfastError(error)) throw error
    return null // information only: what cannot be asked has no name
  }
}
