import { mkdirSync } from 'node:fs'
import { countMessage, countText } from '../../src/compaction/meter.ts'
import { currentHolder } from '../../src/host/process.ts'
import type { Entry } from '../../src/model/entries.ts'
import type { SessionKey } from '../../src/model/keys.ts'
import { type Message, textOf } from '../../src/model/messages.ts'
import { releaseOf } from '../../src/openclaw/database/release.ts'
import { DatabaseThread } from '../../src/openclaw/database/thread.ts'
import { findHomes } from '../../src/openclaw/home/find.ts'
import type { Home } from '../../src/openclaw/home/home.ts'
import { type ImportOptions, importHome } from '../../src/openclaw/move/bring/home.ts'
import type { ImportReport } from '../../src/openclaw/move/bring/report.ts'
import { type ExportReport, exportHome } from '../../src/openclaw/move/give/home.ts'
import type { Meter } from '../../src/openclaw/move/lines/layout.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import type { Store } from '../../src/store/port.ts'

const meter: Meter = { message: countMessage, text: countText }

/** After everything that fixtures tell of. */
const nowMs = Date.parse('2026-12-01T00:00:00Z')

async function homeAt(dir: string): Promise<Home> {
  const ground = { env: {}, cwd: dir, userDir: dir, run: async () => ({ code: 1, stdout: '', stderr: '' }) }
  const asked = { homes: [dir], docker: false, agents: [] }
  const [home] = await findHomes(asked, { ...ground, versionOf: async (path: string) => releaseOf(path) } as never)
  if (home === undefined) throw new Error(`${dir} is no home`)
  return home
}

/** A store of a test, which may be nearly without room. Processes are killed here, and no power is cut. */
export async function openStore(directory: string): Promise<Store & AsyncDisposable> {
  const telemetry = { verb: () => {}, commit: () => {}, writable: () => {} }
  const open = sqliteStore(directory, { diskReserveBytes: 0, synchronous: 'unsafe-for-tests' })
  const store = await open({ holder: currentHolder(nowMs), telemetry, atMs: nowMs })
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() })
}

export async function importInto(
  store: Store,
  dir: string,
  options: Partial<ImportOptions & { dryRun: boolean }> = {},
): Promise<ImportReport> {
  await using thread = new DatabaseThread()
  const { dryRun = false, ...given } = options
  const all = { nowMs, deleted: false, limit: null, signal: new AbortController().signal, ...given }
  return await importHome(await homeAt(dir), thread, { store, meter, nowMs, dryRun }, all, () => {})
}

export async function exportTo(store: Store, dir: string): Promise<ExportReport> {
  mkdirSync(dir, { recursive: true })
  return await exportHome(store, { dir, agents: [], keys: [], dryRun: false }, () => {})
}

export async function entriesOf(store: Store, key: SessionKey, transcript: number): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let after: number | null | undefined; after !== null; ) {
    const query = { key, transcript, order: 'oldest' as const, limit: 500, ...(after === undefined ? {} : { after }) }
    const page = await store.readEntries(query)
    entries.push(...page.entries)
    after = page.next
  }
  return entries
}

/** What the model would be shown now. */
export async function shownIn(store: Store, key: SessionKey): Promise<Message[]> {
  const { entries } = await store.readContext({ key, tokensMax: 1e9, bytesMax: 1e9 })
  return entries.filter(({ kind }) => kind !== 'event').map(({ body }) => body as Message)
}

export const wordsOf = (entries: readonly Entry[]): string[] =>
  entries.map(({ kind, body }) => (kind === 'event' ? `(${'code' in body ? body.code : ''})` : textOf(body as Message)))

/** Everything that was imported, to the byte, without what a store numbers by itself. */
export async function contentOf(store: Store): Promise<Map<string, string>> {
  const content = new Map<string, string>()
  for (const state of ['open', 'archived'] as const) {
    const { items } = await store.listSessions({ state, limit: 1_000 })
    for (const { key, transcript: current } of items) {
      for (let transcript = 1; transcript <= current; transcript += 1) {
        const texts: string[] = []
        for (let after: string | null | undefined; after !== null; ) {
          const item = { key, transcript, ...(after === undefined ? {} : { after }) }
          const [part] = await store.exportTranscripts({ items: [item], bytesMax: 1e6 })
          texts.push(part?.text ?? '')
          after = part?.next ?? null
        }
        content.set(`${key} ${transcript}`, texts.join('').replaceAll(/"(n|id|baseId)":\d+/g, '"$1":0'))
      }
    }
  }
  return content
}

/** Nothing in the store is out of order. */
export async function problemsIn(store: Store): Promise<string[]> {
  const { checks } = await store.verify({ quick: false, atMs: nowMs })
  return checks.flatMap(({ problems }) => problems)
}
