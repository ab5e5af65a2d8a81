import { HoldfastError } from '../../model/errors.ts'
import type { Connection } from './connection.ts'
import { checkApplication } from './identity.ts'
import { migrations } from './migrate.ts'

/**
 * Can this version read what is there? An older format is refused too: only the owner may change it.
 * @throws HoldfastError STORE_FOREIGN, STORE_NEWER, STORE_MISSING
 */
export function checkReadable(db: Connection, path: string): void {
  checkApplication(db, path)
  const found = Number(db.pragma('user_version'))
  const supported = migrations.at(-1)?.to ?? 0
  if (found > supported) throw new HoldfastError('STORE_NEWER', { found, supported })
  if (found < supported)
    throw new HoldfastError('STORE_MISSING', { found, supported, because: 'it is not migrated yet' })
}
