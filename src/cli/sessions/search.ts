import type { ArchivedHit } from '../../engine/upkeep/retain/search.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { SearchHit } from '../../store/sessions.ts'
import { type CommandOptions, command, sessionKeyArgument, wholeNumber } from '../options.ts'
import { entryText } from '../print/entry.ts'
import { excerptAround } from '../print/excerpt.ts'
import { ago } from '../print/words.ts'
import type { Api } from '../reach/api.ts'
import { readList } from '../reach/pages.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

interface SearchOptions extends CommandOptions {
  session?: SessionKey
  limit: number
  archived?: true
}

export function sessionsSearch(terminal: Terminal) {
  return command('search', 'Entries that contain every word, newest first', [
    'holdfast sessions search invoice march',
    'holdfast sessions search --session alice "blue bicycle"',
    'holdfast sessions search --archived invoice',
  ])
    .argument('<words...>', 'what to look for')
    .option('--session <key>', 'only in this session', sessionKeyArgument)
    .option('--archived', 'look through the archives and the trash instead')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async (words: string[], options: SearchOptions) => {
      await using api = await reach('read', options, terminal)
      const text = words.join(' ')
      if (options.archived === true) return await searchArchived(api, text, options, terminal)
      const listing = await readList<SearchHit>(api, '/v1/search', { text, key: options.session }, options.limit)
      if (options.json === true) return await terminal.printJson(listing)
      if (listing.items.length === 0) return await terminal.print('No entry contains that.')
      const nowMs = terminal.outside.clock.nowMs()
      await terminal.printTable(listing.items, [
        { title: 'SESSION', text: ({ sessionKey }) => sessionKey, shrinks: true },
        { title: 'TRANSCRIPT', text: ({ transcript }) => String(transcript), align: 'right' },
        { title: 'ENTRY', text: ({ entry }) => `#${entry.seq}`, align: 'right' },
        { title: 'KIND', text: ({ entry }) => entry.kind },
        { title: 'WHEN', text: ({ entry }) => ago(entry.atMs, nowMs) },
        {
          title: 'TEXT',
          text: ({ entry }) => excerptAround(entryText(entry), text.split(/\s+/), excerptLength),
          shrinks: true,
        },
      ])
      if (listing.more) terminal.note(`There are more; --limit shows more than ${options.limit}.`)
    })
}

/** Reads bundles, so the gateway gives it in pages that may hold nothing. */
async function searchArchived(api: Api, text: string, options: SearchOptions, terminal: Terminal): Promise<void> {
  const query = { text, key: options.session }
  const listing = await readList<ArchivedHit>(api, '/v1/archives/search', query, options.limit)
  if (options.json === true) return await terminal.printJson(listing)
  if (listing.items.length === 0) return await terminal.print('Nothing archived contains that.')
  const nowMs = terminal.outside.clock.nowMs()
  await terminal.printTable(listing.items, [
    { title: 'ID', text: ({ id }) => String(id), align: 'right' },
    { title: 'SESSION', text: ({ sessionKey }) => sessionKey, shrinks: true },
    { title: 'TRANSCRIPT', text: ({ transcript }) => String(transcript), align: 'right' },
    { title: 'WHEN', text: ({ atMs }) => (atMs === null ? '' : ago(atMs, nowMs)) },
    { title: 'TEXT', text: (hit) => excerptAround(hit.text, text.split(/\s+/), excerptLength), shrinks: true },
  ])
  terminal.note('Put one back with `holdfast trash restore ID`.')
  if (listing.more) terminal.note(`There are more; --limit shows more than ${options.limit}.`)
}

const excerptLength = 160
