import { isHoldfastError } from '../../model/errors.ts'
import { openDatabase } from './open.ts'

/**
 * The release that wrote a state database (`state/openclaw.sqlite`) last; null where it names none, or its schema has no such place. A
 * single row, so it is read where it is asked for. @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE
 */
export function releaseOf(stateDatabase: string): string | null {
  try {
    using opened = openDatabase(stateDatabase)
    const row = opened.db.prepare("SELECT app_version AS release FROM schema_meta WHERE meta_key = 'primary'").get()
    const release = row?.release
    return typeof release === 'string' && /^\d{4}\.\d{1,2}\.\d{1,2}[\w.-]{0,40}$/.test(release) ? release : null
  } catch (error) {
    if (isHoldfastError(error)) throw error
    return null // information only: what cannot be asked has no name
  }
}
