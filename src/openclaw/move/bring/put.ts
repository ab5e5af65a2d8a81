import { isHoldfastError } from '../../../model/errors.ts'
import { kindOf } from '../../../model/keys.ts'
import { type HeaderRecord, headerLine, recordLine, type TranscriptRecord } from '../../../model/records.ts'
import type { Store } from '../../../store/port.ts'

/** Among the archived transcripts one stands under this name for as long as it is on its way in. */
const importSweep = 'import'

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
  atMs: number,
): Promise<void> {
  const id = await enter(store, header, atMs)
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

async function enter(store: Store, header: HeaderRecord, atMs: number): Promise<number> {
  const { session, transcript } = header
  const sessionKey = session.key as Parameters<typeof kindOf>[0]
  const entered = {
    ...{ sessionKey, kind: kindOf(sessionKey), transcript: transcript.number, whole: transcript.current },
    ...{ place: 'archives' as const, sweep: importSweep, file: 'openclaw', offset: 0, length: 0, bytes: 0, sha256: '' },
    ...{ entries: transcript.entries, firstAtMs: transcript.startedAtMs, lastAtMs: session.activeAtMs },
    ...{ takenAtMs: atMs, expiresAtMs: null },
  }
  await store.enterArchived({ items: [entered] })
  const { items } = await store.listArchived({ limit: 1_000, key: sessionKey, sweep: importSweep })
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

/** What an earlier import has left on its way in, and nobody goes on with. */
export async function dropUnfinished(store: Store): Promise<void> {
  const { items } = await store.listArchived({ limit: 1_000, sweep: importSweep })
  if (items.length > 0) await store.dropArchived({ ids: items.map(({ id }) => id) })
}
