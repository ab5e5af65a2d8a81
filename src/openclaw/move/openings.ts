import type { Entry } from '../../model/entries.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Store } from '../../store/port.ts'
import { type Opening, openingCode } from './lines/records.ts'

/** Where a transcript of the store was imported from; null where it was not, or is not there. */
export async function readOpening(store: Store, key: SessionKey, transcript: number): Promise<Found | null> {
  const parts = await store.exportTranscripts({ items: [{ key, transcript }], bytesMax: 1 })
  if (parts.length === 0) return null // retention has it
  const { entries } = await store.readEntries({ key, transcript, order: 'oldest', limit: 1 })
  const [first] = entries
  const opening = first === undefined ? null : openingOf(first)
  return first === undefined || opening === null ? null : { id: first.id, number: transcript, opening }
}

export interface Found {
  /** Of the entry. */
  id: string
  number: number
  opening: Opening
}

function openingOf({ kind, body }: Entry): Opening | null {
  return kind === 'event' && 'code' in body && body.code === openingCode ? (body as Opening) : null
}
