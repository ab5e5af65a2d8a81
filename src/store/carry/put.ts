import { isHoldfastError } from '../../model/errors.ts'
import { kindOf } from '../../model/keys.ts'
import { type HeaderRecord, headerLine, recordLine, type TranscriptRecord } from '../../model/records.ts'
import type { Store } from '../port.ts'

/** Where a transcript comes from. Among the archived ones it stands under `sweep` for as long as it is on its way in. */
export interface Origin {
  sweep: string
  file: string
}

/** Of one call: it holds the writer for about 10 ms. */
const partLength = 128 * 1024
const triesMax = 3

/**
 * Writes a transcript that is not in the store, seen by nobody before it is whole. After a kill the next call with the same
 * transcript begins again. @throws HoldfastError ARCHIVE_CONFLICT where its number or one of its entries is there already
 */
export async function putTranscript(
  store: Store,
  header: HeaderRecord,
  records: () => AsyncIterable<TranscriptRecord>,
  origin: Origin,
  atMs: number,
): Promise<void> {
  const id = await enter(store, header, origin, atMs)
  for (let tries = 1; ; tries += 1) {
    try {
      await send(store, id, header, records(), atMs)
      return
    } catch (error) {
      const isPassing = isHoldfastError(error, 'ARCHIVE_CONFLICT') && error.retryAfterMs !== null
      if (!isPassing || tries === triesMax) {
        await store.dropArchived({ ids: [id] })
        throw error
      }
      while (await store.purge({ rowsMax: 500 })); // an earlier copy is not deleted yet
    }
  }
}

async function enter(store: Store, header: HeaderRecord, origin: Origin, atMs: number): Promise<number> {
  const { session, transcript } = header
  const sessionKey = session.key as Parameters<typeof kindOf>[0]
  const entered = {
    ...{ sessionKey, kind: kindOf(sessionKey), transcript: transcript.number, whole: transcript.current },
    ...{ place: 'archives' as const, ...origin, offset: 0, length: 0, bytes: 0, sha256: '' },
    ...{ entries: transcript.entries, firstAtMs: transcript.startedAtMs, lastAtMs: session.activeAtMs },
    ...{ takenAtMs: atMs, expiresAtMs: null },
  }
  await store.enterArchived({ items: [entered] })
  const { items } = await store.listArchived({ limit: 1_000, key: sessionKey, sweep: origin.sweep })
  const found = items.find((item) => item.transcript === transcript.number)
  if (found === undefined) throw new Error('what was entered is not there') // the store has just said that it is
  return found.id
}

async function send(
  store: Store,
  id: number,
  header: HeaderRecord,
  records: AsyncIterable<TranscriptRecord>,
  atMs: number,
): Promise<void> {
  let part = 0
  let text = headerLine(header)
  for await (const record of records) {
    if (text.length > partLength) {
      await store.putBack({ id, part, text, last: false, atMs })
      part += 1
      text = ''
    }
    text += recordLine(record)
  }
  await store.putBack({ id, part, text, last: true, atMs })
}

/** What an earlier run has left on its way in, and nobody goes on with. */
export async function dropUnfinished(store: Store, { sweep }: Pick<Origin, 'sweep'>): Promise<void> {
  const { items } = await store.listArchived({ limit: 1_000, sweep })
  if (items.length > 0) await store.dropArchived({ ids: items.map(({ id }) => id) })
}
