import { currentHolder } from '../../host/process.ts'
import type { OpenStore, Store, StoreTelemetry } from '../../store/port.ts'

/** Where a store is, as a configuration says it: PostgreSQL where it has an address, else SQLite in the data directory. */
export interface StorePlace {
  store: { url: string | null; diskReserve?: number }
  data: string
}

/** Only what is used is loaded. @throws HoldfastError STORE_URL_INVALID */
export async function storeOf({ store: { url, diskReserve }, data }: StorePlace): Promise<OpenStore> {
  if (url !== null) {
    const { postgresStore } = await import('../../postgres/open.ts')
    return postgresStore(url)
  }
  const { sqliteStore } = await import('../../sqlite/open.ts')
  return sqliteStore(data, diskReserve === undefined ? {} : { diskReserveBytes: diskReserve })
}

export type ClosingStore = Store & AsyncDisposable

/** The store is ours until it is closed; it is made where there is none. @throws HoldfastError STORE_IN_USE and others of opening */
export async function openOwn(place: StorePlace, atMs: number): Promise<ClosingStore> {
  return closing(await (await storeOf(place))({ holder: currentHolder(atMs), telemetry: silent, atMs }))
}

/** Beside whoever has it, which is not changed. @throws HoldfastError STORE_MISSING and others of opening */
export async function openForReadingOf({ store, data }: StorePlace): Promise<ClosingStore> {
  if (store.url !== null) {
    const { openReadOnly } = await import('../../postgres/open.ts')
    return closing(await openReadOnly(store.url))
  }
  const { openReadOnly } = await import('../../sqlite/open.ts')
  return closing(await openReadOnly(data))
}

/** The same; null where there is none. */
export async function openForReadingIfAny(place: StorePlace): Promise<ClosingStore | null> {
  if (place.store.url === null) {
    const { holdsStore } = await import('../../sqlite/open.ts')
    if (!holdsStore(place.data)) return null
  }
  return openForReadingOf(place)
}

const silent: StoreTelemetry = { verb: () => {}, commit: () => {}, writable: () => {} }

function closing(store: Store): ClosingStore {
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() })
}
