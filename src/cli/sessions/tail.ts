import type { Entry } from '../../model/entries.ts'
import { isHoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { EntryPage } from '../../store/entries.ts'
import { type CommandOptions, command, sessionKeyArgument, wholeNumber } from '../options.ts'
import { type Api, queryOf, sessionPath } from '../reach/api.ts'
import { readNewest } from '../reach/entries.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { printEntries } from './entries.ts'

interface TailOptions extends CommandOptions {
  limit: number
  follow?: true
}

/** People do not notice half a second, and one keyset read costs the gateway next to nothing. */
const lookEveryMs = 500
const pageRows = 200

export function sessionsTail(terminal: Terminal) {
  return command('tail', 'The newest entries of a session, and new ones as they come', [
    'holdfast sessions tail alice',
    'holdfast sessions tail -f alice',
    'holdfast sessions tail -f alice --json | jq .body.content',
  ])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .option('-n, --limit <n>', 'how many entries to begin with', wholeNumber, 10)
    .option('-f, --follow', 'go on with new entries until Ctrl-C')
    .action(async (key: SessionKey, options: TailOptions) => {
      const show = (entries: readonly Entry[]) =>
        options.json === true
          ? terminal.print(...entries.map((entry) => JSON.stringify(entry)))
          : printEntries(terminal, entries)
      let place: Place
      {
        await using api = await reach('read', options, terminal)
        const page = await readNewest(api, key, options.limit)
        await show(page.entries)
        place = { transcript: page.transcript, seq: page.entries.at(-1)?.seq ?? 0 }
      }
      if (options.follow !== true) return
      const stop = new AbortController()
      const forget = terminal.outside.onSignal(['SIGINT', 'SIGTERM'], () => stop.abort())
      try {
        await follow(key, place, options, terminal, show, stop.signal)
      } finally {
        forget()
      }
    })
}

/** Where the reader is. */
interface Place {
  transcript: number
  seq: number
}

/** Reaches anew after a gateway has ended or begun, so that following outlives restarts. */
async function follow(
  key: SessionKey,
  begin: Place,
  options: TailOptions,
  terminal: Terminal,
  show: (entries: readonly Entry[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let place = begin
  while (!signal.aborted) {
    await using api = await reach('read', options, terminal)
    try {
      while (!signal.aborted) {
        const page = await readAfter(api, key, place)
        if (page.transcript !== place.transcript) {
          terminal.note(`The session was reset; transcript ${page.transcript} begins.`)
          place = { transcript: page.transcript, seq: 0 }
          continue
        }
        await show(page.entries)
        place = { transcript: page.transcript, seq: page.entries.at(-1)?.seq ?? place.seq }
        if (page.next === null) await pause(terminal, signal)
      }
    } catch (error) {
      if (!isHoldfastError(error, 'GATEWAY_UNREACHABLE')) throw error
      await pause(terminal, signal)
    }
  }
}

function readAfter(api: Api, key: SessionKey, place: Place): Promise<EntryPage> {
  const query = queryOf({ order: 'oldest', after: place.seq, limit: pageRows })
  return api.call<EntryPage>('GET', sessionPath(key, `/entries${query}`))
}

async function pause(terminal: Terminal, signal: AbortSignal): Promise<void> {
  await terminal.outside.clock.sleep(lookEveryMs, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
