import type { Store } from '../../src/store/port.ts'
import type { ExportItem } from '../../src/store/retention.ts'

/** All lines of a transcript; null when it is not in the store. */
export async function exportOf(store: Store, { key, transcript }: ExportItem): Promise<string | null> {
  const texts: string[] = []
  let after: string | undefined
  do {
    const item = { key, transcript, ...(after === undefined ? {} : { after }) }
    const [part] = await store.exportTranscripts({ items: [item], bytesMax: 256 * 1024 })
    if (part === undefined) return null
    texts.push(part.text)
    after = part.next ?? undefined
  } while (after !== undefined)
  return texts.join('')
}

/** But for its first line, which tells of the session as it is now, a transcript comes back to the byte. */
export const bodyOf = (text: string): string => text.slice(text.indexOf('\n') + 1)
