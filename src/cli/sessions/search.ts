import type { SessionKey } from '../../model/keys.ts'
import type { SearchHit } from '../../store/sessions.ts'
import { type CommandOptions, command, sessionKeyArgument, wholeNumber } from '../options.ts'
import { entryText } from '../print/entry.ts'
import { excerptAround } from '../print/excerpt.ts'
import { ago } from '../print/words.ts'
import { readList } from '../reach/pages.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

interface SearchOptions extends CommandOptions {
  session?: SessionKey
  limit: number
}

export function sessionsSearch(terminal: Terminal) {
  return command('search', 'Entries that contain every word, newest first', [
    'holdfast sessions search invoice march',
    'holdfast sessions search --session alice "blue bicycle"',
  ])
    .argument('<words...>', 'what to look for')
    .option('--session <key>', 'only in this session', sessionKeyArgument)
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .action(async (words: string[], options: SearchOptions) => {
      await using api = await reach('read', options, terminal)
      const text = words.join(' ')
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

const excerptLength = 160
