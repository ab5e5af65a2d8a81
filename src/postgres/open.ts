import { RelationalStore } from '../relational/handle.ts'
import type { OpenStore, Store, StoreTelemetry } from '../store/port.ts'
import type { ThreadData } from './threads/data.ts'
import { Threads } from './threads/threads.ts'
import { parseDatabaseUrl } from './url.ts'

/**
 * A store in a PostgreSQL database, which any number of gateways may have open at once. The schema must be there and of this
 * version: `holdfast migrate` makes it.
 * @throws HoldfastError STORE_URL_INVALID at once; from opening STORE_UNREACHABLE, STORE_CREDENTIALS, STORE_TLS, STORE_RIGHTS,
 * STORE_MISSING, STORE_OLDER, STORE_NEWER, STORE_FOREIGN, STORE_READ_ONLY
 */
export function postgresStore(url: string): OpenStore {
  const place = parseDatabaseUrl(url)
  const open: OpenStore = async ({ holder, telemetry }) => openThreads({ ...place, holder }, telemetry)
  return open
}

/** Reads beside the gateways; every write verb throws STORE_READ_ONLY. @throws HoldfastError as {@link postgresStore} */
export function openReadOnly(url: string): Promise<Store> {
  return openThreads({ ...parseDatabaseUrl(url), holder: null }, silent)
}

const silent: StoreTelemetry = { verb: () => {}, commit: () => {}, writable: () => {} }

async function openThreads(data: Omit<ThreadData, 'beats'>, telemetry: StoreTelemetry): Promise<Store> {
  const threads = new Threads(data, telemetry)
  await threads.opened()
  return new RelationalStore(threads, () => {})
}
