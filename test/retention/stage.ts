import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { ArchiveFolder, listFolders } from '../../src/archive/folder.ts'
import { readFrame } from '../../src/archive/frames.ts'
import { isSettled } from '../../src/archive/manifest.ts'
import { type Holdfast, type HoldfastOptions, openHoldfast } from '../../src/engine/holdfast.ts'
import type { SweepEvent, SweepOptions, SweepReport } from '../../src/engine/upkeep/retain/report.ts'
import { parseSessionKey, type SessionKey } from '../../src/model/keys.ts'
import { defaultRetentionPolicy, type RetentionPolicy } from '../../src/retention/policy.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import type { Store } from '../../src/store/port.ts'
import { Scene } from '../../src/testing/contract/scene.ts'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** A data directory that is gone after the test, and in order until then. */
export async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-retention-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

/** Fills a new store as conversations would have, at their own times, and closes it. */
export async function fill(directory: string, talk: (scene: Scene) => Promise<void>): Promise<void> {
  const ground = { openStore: sqliteStore(directory), backupDirectory: 'none', dispose: async () => {} }
  const scene = await Scene.open(ground, Date.now())
  await talk(scene)
  await scene.store.close()
}

/** Says something in each session so many days ago; the oldest first, as it would have been. */
export async function talkIn(scene: Scene, idleDays: Record<string, number>, text = 'hello'): Promise<SessionKey[]> {
  const nowMs = Date.now()
  const names = Object.entries(idleDays).sort((a, b) => b[1] - a[1])
  for (const [name, days] of names) {
    scene.nowMs = nowMs - days * dayMs
    await scene.say(parseSessionKey(name), `${text} of ${name}`, `answer to ${name}`)
  }
  return names.map(([name]) => parseSessionKey(name))
}

export async function openOn(
  directory: string,
  policy: Partial<RetentionPolicy> = {},
  more: Partial<HoldfastOptions> = {},
): Promise<Holdfast> {
  const retention = { ...defaultRetentionPolicy, ...policy }
  const settings = { retention, ...more.settings }
  const engine = await openHoldfast({
    store: sqliteStore(directory),
    run: null,
    archives: directory,
    ...more,
    settings,
  })
  onTestFinished(() => engine.close())
  return engine
}

export async function sweep(
  engine: Holdfast,
  options: Partial<SweepOptions> = {},
): Promise<{ steps: Extract<SweepEvent, { type: 'step' }>[]; report: SweepReport }> {
  const steps: Extract<SweepEvent, { type: 'step' }>[] = []
  for await (const event of engine.retention.sweep({ apply: true, trustClock: false, ...options })) {
    if (event.type === 'done') return { steps, report: event.report }
    steps.push(event)
  }
  throw new Error('it ended without a report')
}

/** What each session's transcripts are, to the byte: `key number` to records. */
export async function exportsOf(store: Store, keys: readonly SessionKey[], upTo = 3): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const key of keys) {
    for (let transcript = 1; transcript <= upTo; transcript += 1) {
      const text = await exportOf(store, key, transcript)
      if (text !== null) found.set(`${key} ${transcript}`, text)
    }
  }
  return found
}

async function exportOf(store: Store, key: SessionKey, transcript: number): Promise<string | null> {
  const texts: string[] = []
  let after: string | undefined
  do {
    const item = { key, transcript, ...(after === undefined ? {} : { after }) }
    const [part] = await store.exportTranscripts({ items: [item], bytesMax: 4_000 })
    if (part === undefined) return null
    texts.push(part.text)
    after = part.next ?? undefined
  } while (after !== undefined)
  return texts.join('')
}

/** The same of what the manifests say is archived, each read from its bundle and compared with its SHA-256. */
export async function archivedIn(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const name of await listFolders(directory)) {
    await using folder = await ArchiveFolder.open(directory, name)
    if (folder?.state.deleting === true) continue
    for (const bundle of folder?.state.bundles.values() ?? []) {
      if (bundle.state === 'old' || bundle.state === 'dropping') continue
      for (const item of bundle.items) {
        const parts: string[] = []
        for await (const part of readFrame(folder?.pathOf(bundle.file) ?? '', item)) parts.push(part)
        found.set(`${item.key} ${item.transcript}`, parts.join(''))
      }
    }
  }
  return found
}

/** Manifests announce nothing that is not done, and the index knows what they know. */
export async function expectSettled(directory: string, store: Store): Promise<void> {
  const named: string[] = []
  for (const name of await listFolders(directory)) {
    await using folder = await ArchiveFolder.open(directory, name)
    if (folder === null) continue
    expect(isSettled(folder.state), `${name.folder} is settled`).toBe(true)
    expect(await folder.strays()).toEqual([])
    for (const { items, file } of folder.state.bundles.values()) {
      named.push(...items.map(({ key, transcript, offset }) => `${key} ${transcript} ${name.place} ${file} ${offset}`))
    }
  }
  const { items } = await store.listArchived({ limit: 500 })
  const listed = items.map((row) => `${row.sessionKey} ${row.transcript} ${row.place} ${row.file} ${row.offset}`)
  expect(listed.sort()).toEqual(named.sort())
}

export async function expectInOrder(store: Store): Promise<void> {
  const report = await store.verify({ quick: false, atMs: Date.now() })
  expect(report.checks.filter(({ ok }) => !ok)).toEqual([])
}
