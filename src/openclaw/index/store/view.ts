import { rawEntry } from '../edit.ts'
import type { IndexText } from '../read.ts'

/** What an edit is made from. */
export interface IndexView {
  /** In the order of the file; each once. */
  keys: string[]
  /** The raw JSON text of an entry; null where there is none. */
  raw(key: string): string | null
}

export function viewOf(text: IndexText | null): IndexView {
  if (text === null) return { keys: [], raw: () => null }
  const { bytes, parsed } = text
  return { keys: [...new Set(parsed.members.map(({ key }) => key))], raw: (key) => rawEntry(bytes, parsed, key) }
}
