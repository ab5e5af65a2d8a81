import { countMessage, countText } from '../../../compaction/meter.ts'
import { currentHolder } from '../../../host/process.ts'
import type { Meter } from '../../../openclaw/move/lines/layout.ts'
import { holdsStore } from '../../../sqlite/open.ts'
import type { Store, StoreTelemetry } from '../../../store/port.ts'
import { readCommandConfig } from '../../config/read.ts'
import type { CommandOptions } from '../../options.ts'
import { openForReadingOf, storeOf } from '../../store/place.ts'
import type { Terminal } from '../../terminal.ts'

/** Commands that move conversations work on the store itself: no turn runs meanwhile, and nothing is swept. */

export const meter: Meter = { message: countMessage, text: countText }

const silent: StoreTelemetry = { verb: () => {}, commit: () => {}, writable: () => {} }

/** The store is ours until it is closed; it is made where there is none. @throws HoldfastError STORE_IN_USE and others of opening */
export async function openOwnStore(options: CommandOptions, terminal: Terminal): Promise<ClosingStore> {
  const config = await readCommandConfig(options, terminal)
  const atMs = terminal.outside.clock.nowMs()
  return closing(await (await storeOf(config))({ holder: currentHolder(atMs), telemetry: silent, atMs }))
}

/** Beside whoever has it, which is not changed; null where there is none. */
export async function openStoreIfAny(options: CommandOptions, terminal: Terminal): Promise<ClosingStore | null> {
  const config = await readCommandConfig(options, terminal)
  const isThere = config.store.url !== null || holdsStore(config.data)
  return isThere ? closing(await openForReadingOf(config)) : null
}

/** @throws HoldfastError STORE_MISSING and others of opening */
export async function openStoreForReading(options: CommandOptions, terminal: Terminal): Promise<ClosingStore> {
  return closing(await openForReadingOf(await readCommandConfig(options, terminal)))
}

export type ClosingStore = Store & AsyncDisposable

function closing(store: Store): ClosingStore {
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() })
}
