import type { ArchivedTranscript } from '../../model/archives.ts'
import { formatDuration, formatSize } from '../../model/units.ts'
import type { CommandOptions } from '../options.ts'
import { ago } from '../print/words.ts'
import type { Listing } from '../reach/pages.ts'
import type { Terminal } from '../terminal.ts'

/** A table of archived transcripts, or the same as JSON. */
export async function printArchived(
  listing: Listing<ArchivedTranscript>,
  options: CommandOptions,
  terminal: Terminal,
  ifEmpty: string,
): Promise<void> {
  if (options.json === true) return await terminal.printJson(listing)
  if (listing.items.length === 0) return await terminal.print(ifEmpty)
  const nowMs = terminal.outside.clock.nowMs()
  const left = ({ expiresAtMs }: ArchivedTranscript) =>
    expiresAtMs === null ? 'kept' : formatDuration(Math.max(0, expiresAtMs - nowMs))
  await terminal.printTable(listing.items, [
    { title: 'ID', text: ({ id }) => String(id), align: 'right' },
    { title: 'SESSION', text: ({ sessionKey }) => sessionKey, shrinks: true },
    { title: 'TRANSCRIPT', text: ({ transcript }) => String(transcript), align: 'right' },
    { title: 'ENTRIES', text: ({ entries }) => String(entries), align: 'right' },
    { title: 'SIZE', text: ({ length }) => formatSize(length), align: 'right' },
    { title: 'LAST ENTRY', text: ({ lastAtMs }) => ago(lastAtMs, nowMs) },
    { title: 'TAKEN OUT', text: ({ takenAtMs }) => ago(takenAtMs, nowMs) },
    { title: 'EXPIRES', text: left },
    { title: 'SWEEP', text: ({ place, sweep }) => `${place}/${sweep}`, shrinks: true },
  ])
  if (listing.more) terminal.note(`There are more; --limit shows more than ${listing.items.length}.`)
}
