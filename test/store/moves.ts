import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ArchivedTranscript } from '../../src/model/archives.ts'
import { parseSessionKey, type SessionKey } from '../../src/model/keys.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import type { Store } from '../../src/store/port.ts'
import { exported, purgeAll, putBackIn } from '../../src/testing/contract/retention/moves.ts'
import { problemsOf, Scene } from '../../src/testing/contract/scene.ts'

const program = new URL('programs/mover.ts', import.meta.url).pathname

/** The file in which a sweep keeps its copy of a transcript. */
export const copyOf = (of: Pick<ArchivedTranscript, 'sessionKey' | 'transcript' | 'sweep'>): string =>
  `${of.sweep}_${of.sessionKey.split(':').at(-1)}_${of.transcript}`

export const readCopy = (copies: string, of: ArchivedTranscript): string =>
  readFileSync(join(copies, copyOf(of)), 'utf8')

/** Everything after the first line, which says how the session is. */
const recordsIn = (text: string) => text.slice(text.indexOf('\n') + 1)

/** Kills the mover on the same data once after each of these times, and says what does not hold after each. */
export async function problemsAfterKills(afterMs: readonly number[]): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-moves-'))
  const [data, copies] = [join(root, 'data'), join(root, 'copies')]
  mkdirSync(copies)
  try {
    const problems: string[] = []
    for (const [index, ms] of afterMs.entries()) {
      const child = spawn(process.execPath, [program, data, copies, String(index)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const exit = once(child, 'exit')
      await once(child.stdout, 'data')
      await Promise.race([sleep(ms), exit])
      if (child.exitCode !== null) return [...problems, `the mover gave up after ${index} kills`]
      child.kill('SIGKILL')
      await exit
      const found = await problemsIn(data, copies)
      problems.push(...found.map((problem) => `after kill ${index + 1} at ${ms} ms: ${problem}`))
    }
    return problems
  } finally {
    rmSync(root, { recursive: true })
  }
}

async function problemsIn(data: string, copies: string): Promise<string[]> {
  const openStore = sqliteStore(data, { diskReserveBytes: 0 })
  const scene = await Scene.open({ openStore, backupDirectory: '', dispose: async () => {} }, 1_770_000_000_000)
  const { store } = scene
  const check = async (when: string) =>
    problemsOf(await store.verify({ quick: false, atMs: 1 })).map((problem) => `${when}, ${problem}`)
  try {
    const problems = await check('as it was left')
    const left = await store.listLeases()
    await store.expireLeases({
      holderIds: left.map(({ holder }) => holder.id),
      handedOver: false,
      limit: 1_000,
      atMs: scene.nowMs,
    })
    const waiting = await store.listTurns({ order: 'oldest', limit: 9, statuses: ['queued', 'interrupted'] })
    for (const { id } of waiting.items) await store.cancelTurn({ turnId: id, reason: 'killed', atMs: scene.nowMs })
    problems.push(...(await lostIn(store, copies)))
    await purgeAll(store, 700)
    problems.push(...(await check('after a purge')))
    problems.push(...(await wrongWhenBack(scene, copies)))
    problems.push(...(await check('after one came back')))
    return problems
  } finally {
    await store.close()
  }
}

/** Every transcript of which there is a copy is in the store, or known to be away. */
async function lostIn(store: Store, copies: string): Promise<string[]> {
  const lost: string[] = []
  for (const name of readdirSync(copies)) {
    if (name.endsWith('.new')) continue
    const [, rest, transcript] = name.split('_') as [string, string, string]
    const key = parseSessionKey(rest)
    const items = [{ key, transcript: Number(transcript) }]
    const here = await store.exportTranscripts({ items, bytesMax: 1 })
    const { items: away } = await store.listArchived({ limit: 1_000, key })
    const count = here.length + away.filter((each) => each.transcript === Number(transcript)).length
    if (count !== 1) lost.push(`${name} is there ${count} times`)
  }
  return lost
}

/** The newest of each key comes back to the byte. */
async function wrongWhenBack(scene: Scene, copies: string): Promise<string[]> {
  const { items } = await scene.store.listArchived({ limit: 1_000 })
  const newest = new Map<SessionKey, ArchivedTranscript>()
  for (const each of items) if (!newest.has(each.sessionKey)) newest.set(each.sessionKey, each)
  const wrong: string[] = []
  for (const archived of [...newest.values()].slice(0, 2)) {
    const text = readCopy(copies, archived)
    await putBackIn(scene, archived.id, text, 3)
    const again = await exported(scene.store, archived.sessionKey, archived.transcript)
    if (recordsIn(again.text) !== recordsIn(text)) wrong.push(`${copyOf(archived)} came back as another`)
  }
  return wrong
}
