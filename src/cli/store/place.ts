import type { Config } from '../../config/read.ts'
import type { OpenStore, Store } from '../../store/port.ts'

/**
 * The store that a configuration names: PostgreSQL where it has an address, else SQLite in the data directory. Only what is used is
 * loaded. @throws HoldfastError STORE_URL_INVALID
 */
export async function storeOf({ store, data }: Pick<Config, 'store' | 'data'>): Promise<OpenStore> {
  if (store.url !== null) {
    const { postgresStore } = await import('../../postgres/open.ts')
    return postgresStore(store.url)
  }
  const { sqliteStore } = await import('../../sqlite/open.ts')
  return sqliteStore(data, { diskReserveBytes: store.diskReserve })
}

/** The same for reading beside whoever has it. @throws HoldfastError STORE_ codes of opening */
export async function openForReadingOf({ store, data }: Pick<Config, 'store' | 'data'>): Promise<Store> {
  if (store.url !== null) {
    const { openReadOnly } = await import('../../postgres/open.ts')
    return openReadOnly(store.url)
  }
  const { openReadOnly } = await import('../../sqlite/open.ts')
  return openReadOnly(data)
}
