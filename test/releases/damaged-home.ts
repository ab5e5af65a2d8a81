import { randomUUID } from 'node:crypto'
import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Seeded } from '../openclaw/seeded.ts'
import { transcriptText } from '../openclaw/transcript-text.ts'
import { rewrite } from './aged.ts'
import type { Talk } from './load.ts'

/** Of no process: the kernel gives no id above 4,194,304. */
const nobody = 4_194_999
const dayMs = 86_400_000

/** What a doctor has to find more than before: by code, how many. */
export type Planted = Record<string, number>

/** Keys of idle sessions that are put into the index. */
export const idleKeys = [1, 2, 3].map((at) => `agent:main:telegram:direct:idle-${at}`)

type Entry = { sessionId: string; sessionFile?: string }

/** Damages five sessions of agent `main`, each in its own way, and puts in what cleaning is to take. */
export function damage(dir: string, talks: readonly Talk[]): Planted {
  const folder = join(dir, 'agents/main/sessions')
  const indexPath = join(folder, 'sessions.json')
  const index = JSON.parse(readFileSync(indexPath, 'utf8')) as Record<string, Entry>
  const [torn, headless, welded, halved, locked] = talks.map(({ key }) => {
    const entry = index[key]
    if (entry === undefined) throw new Error(`the index has no ${key}`)
    return entry.sessionFile ?? join(folder, `${entry.sessionId}.jsonl`)
  }) as [string, string, string, string, string]
  rewrite(torn, (text) => `${text}{"type":"message","id":"0badbeef","parentId":"`)
  rewrite(headless, (text) => text.slice(0, 25) + text.slice(text.indexOf('\n')))
  rewrite(welded, (text) => {
    const second = text.indexOf('\n{"type":"message"', text.indexOf('\n{"type":"message"') + 1)
    return text.slice(0, second) + text.slice(second + 1)
  })
  rewrite(halved, (text) => text.replace(/("role":"assistant".*?"text":")/, '$1\\ud83d'))
  put(`${locked}.lock`, lockOfNobody(Date.now() - dayMs), dayMs)

  const idleMs = 20 * dayMs
  for (const [at, key] of idleKeys.entries()) {
    const id = randomUUID()
    const path = join(folder, `${id}.jsonl`)
    put(path, textOf(id, idleMs, at + 1), idleMs)
    const usedAtMs = Date.now() - idleMs
    index[key] = { sessionId: id, sessionFile: path, updatedAt: usedAtMs, lastInteractionAt: usedAtMs } as Entry
  }
  rewrite(indexPath, () => JSON.stringify(index, null, 2))
  const at = new Date(Date.now() - 3 * dayMs).toISOString().replaceAll(':', '-')
  for (const seed of [4, 5]) {
    const id = randomUUID()
    put(join(folder, `${id}.jsonl.deleted.${at}`), textOf(id, 3 * dayMs, seed), 3 * dayMs)
  }
  const orphan = randomUUID()
  put(join(folder, `${orphan}.jsonl`), textOf(orphan, 10 * dayMs, 6), 10 * dayMs)
  return {
    TRANSCRIPT_TORN: 1,
    TRANSCRIPT_HEADER: 1,
    TRANSCRIPT_INVALID: 1, // what is left of the header
    TRANSCRIPT_WELDED: 1,
    TRANSCRIPT_SURROGATE: 1,
    LOCK_DEAD: 1,
    SESSIONS_IDLE: idleKeys.length,
    LEFTOVERS: 2,
    TRANSCRIPT_WITHOUT_ENTRY: 1,
  }
}

function put(path: string, text: string, ageMs: number): void {
  const at = (Date.now() - ageMs) / 1_000
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
  utimesSync(path, at, at)
}

function textOf(sessionId: string, ageMs: number, seed: number): string {
  const seeded = new Seeded(seed)
  const plan = { sessionId, cwd: '/w', lastAtMs: Date.now() - ageMs, turns: 2, bytes: 2_000 }
  return transcriptText({ ...plan, answered: true, doubled: false, seeded })
}

/** A lock file of a gateway that is gone. */
export function lockOfNobody(atMs: number): string {
  const payload = { pid: nobody, createdAt: new Date(atMs).toISOString(), maxHoldMs: 300_000, starttime: 4_711 }
  return `${JSON.stringify(payload, null, 2)}\n`
}
