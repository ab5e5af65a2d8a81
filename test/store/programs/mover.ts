/**
 * Lets transcripts leave and come back for ever, as a sweep does: the copy is written first, each in a file of its own.
 *
 *     node mover.ts <data directory> <directory for the copies> <seed>
 */
import { existsSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { ArchivedTranscript } from '../../../src/model/archives.ts'
import { parseSessionKey, type SessionKey } from '../../../src/model/keys.ts'
import { sqliteStore } from '../../../src/sqlite/open.ts'
import { exported, inParts, itemOf } from '../../../src/testing/contract/retention/moves.ts'
import { Scene } from '../../../src/testing/contract/scene.ts'
import { copyOf, readCopy } from '../moves.ts'

const [directory, copies, seed] = process.argv.slice(2) as [string, string, string]
const openStore = sqliteStore(directory, { diskReserveBytes: 0 })
const scene = await Scene.open({ openStore, backupDirectory: '', dispose: async () => {} }, 1_760_000_000_000)
const { store } = scene
const keys = ['a', 'b', 'c', 'd'].map(parseSessionKey)
let sweeps = 0
let ids = 0

function freshId(word: string): string {
  ids += 1
  return `${word}-${seed}-${ids}`
}

async function talk(key: SessionKey, count: number): Promise<void> {
  const { turn } = await scene.admit(key, `question ${freshId('q')}`, { turnId: freshId('turn') })
  const claim = await scene.claim()
  const entries = Array.from({ length: count }, () => scene.entry(`answer ${freshId('a')}`, { id: freshId('entry') }))
  const large = scene.entry(`large ${freshId('l').repeat(4_000)}`, { id: freshId('entry') })
  await scene.settle(claim, null, { entries: [...entries, large] })
  if (turn.id !== claim.turn.id) throw new Error('another turn was ready')
}

/** Synced by nobody: the process is killed, not the machine. */
function copy(name: string, text: string): void {
  writeFileSync(join(copies, `${name}.new`), text)
  renameSync(join(copies, `${name}.new`), join(copies, name))
}

async function takeOut(key: SessionKey): Promise<void> {
  sweeps += 1
  const sweep = `${seed}-${sweeps}`
  const session = await store.readSession(key)
  const items = []
  for (let number = 1; number <= (session?.transcript ?? 0); number += 1) {
    const there = await store.exportTranscripts({ items: [{ key, transcript: number }], bytesMax: 1 })
    if (there.length === 0) continue
    const found = await exported(store, key, number, 50_000)
    copy(copyOf({ sessionKey: key, transcript: number, sweep }), found.text)
    items.push(itemOf(found, { whole: number === session?.transcript, sweep }))
  }
  await store.takeOut({ items, atMs: scene.nowMs })
}

async function putBack(archived: ArchivedTranscript): Promise<void> {
  const pieces = inParts(readCopy(copies, archived), 4)
  for (const [part, text] of pieces.entries()) {
    await store.putBack({ id: archived.id, part, text, last: part === pieces.length - 1, atMs: scene.nowMs })
    if (part === 1) await store.purge({ rowsMax: 50 })
  }
}

const noise = Number(seed)
if (!existsSync(copies)) throw new Error('there is no directory for the copies')
writeSync(1, 'moving\n')
for (let round = 0; ; round += 1) {
  scene.nowMs += 1
  const key = keys[(round + noise) % keys.length] as SessionKey
  const { items } = await store.listArchived({ limit: 100, key })
  const [newest] = items
  if (newest !== undefined && round % 3 === 0) await putBack(newest)
  await talk(key, (round * 37 + noise) % 5 === 0 ? 2_500 : 40)
  if (round % 2 === 0) await store.resetSession({ key, reason: `round ${round}`, atMs: scene.nowMs })
  await takeOut(key)
  await store.purge({ rowsMax: 300 })
}
