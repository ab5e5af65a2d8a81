import { countMessage, countText } from '../../../compaction/meter.ts'
import type { Meter } from '../../../openclaw/move/lines/layout.ts'
import { readCommandConfig } from '../../config/read.ts'
import type { CommandOptions } from '../../options.ts'
import { type ClosingStore, openForReadingIfAny, openForReadingOf, openOwn } from '../../store/place.ts'
import type { Terminal } from '../../terminal.ts'

/** Commands that move conversations work on the store itself: no turn runs meanwhile, and nothing is swept. */

export const meter: Meter = { message: countMessage, text: countText }

/** As {@link openOwn}, where the command line says. */
export async function openOwnStore(options: CommandOptions, terminal: Terminal): Promise<ClosingStore> {
  return openOwn(await readCommandConfig(options, terminal), terminal.outside.clock.nowMs())
}

/** As {@link openForReadingIfAny}, where the command line says. */
export async function openStoreIfAny(options: CommandOptions, terminal: Terminal): Promise<ClosingStore | null> {
  return openForReadingIfAny(await readCommandConfig(options, terminal))
}

/** As {@link openForReadingOf}, where the command line says. */
export async function openStoreForReading(options: CommandOptions, terminal: Terminal): Promise<ClosingStore> {
  return openForReadingOf(await readCommandConfig(options, terminal))
}
