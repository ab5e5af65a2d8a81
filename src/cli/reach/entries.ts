import type { Entry } from '../../model/entries.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { EntryPage } from '../../store/entries.ts'
import { type Api, queryOf, sessionPath } from './api.ts'

const pageRows = 200

/** A transcript from its beginning, a page at a time: however long it is, one page is in memory. */
export async function* readTranscript(api: Api, key: SessionKey, transcript: number): AsyncGenerator<Entry[]> {
  let after: number | undefined
  do {
    const query = queryOf({ order: 'oldest', transcript, after, limit: pageRows })
    const page = await api.call<EntryPage>('GET', sessionPath(key, `/entries${query}`))
    yield page.entries
    after = page.next ?? undefined
  } while (after !== undefined)
}

/** The newest `limit` entries, oldest first. */
export async function readNewest(api: Api, key: SessionKey, limit: number, transcript?: number): Promise<EntryPage> {
  const found: Entry[] = []
  let after: number | undefined
  let read: EntryPage
  do {
    const query = queryOf({ order: 'newest', transcript, after, limit: Math.min(pageRows, limit - found.length) })
    read = await api.call<EntryPage>('GET', sessionPath(key, `/entries${query}`))
    found.push(...read.entries)
    after = read.next ?? undefined
  } while (after !== undefined && found.length < limit)
  return { transcript: read.transcript, entries: found.reverse(), next: read.next }
}
