import { cpSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Scratch } from '../../test/sqlite/scratch.ts'
import { parseSessionKey } from '../model/keys.ts'
import type { SessionProblem } from '../model/starts.ts'
import { penOf, problemsOf, type Scene } from '../testing/contract/scene.ts'

const key = parseSessionKey('alice')

/** A closed store with a session of many entries, hidden ones among them, a summary, a lease and a queue. */
const whole = new Scratch()
beforeAll(async () => {
  const scene = await whole.scene()
  const { store, nowMs: atMs } = scene
  await scene.say(key, 'one', 'first')
  const { turn } = await scene.begin(key, 'lost')
  await store.expireLeases({ holderIds: ['holder-1'], handedOver: false, limit: 9, atMs })
  await store.cancelTurn({ turnId: turn.id, reason: 'x', atMs })
  for (let number = 0; number < 3; number += 1) await scene.say(key, `q${number}`, `a${number}`)
  const covered = { transcript: 1, baseId: null, uptoSeq: 2, kind: 'model' as const, text: 'note', tokens: 1 }
  await store.commitSummary({ key, ...covered, atMs })
  const steps = Array.from({ length: 600 }, (_, at) => `step ${at}`)
  await scene.append(penOf(await scene.begin(key, 'runs')), ...steps)
  await scene.admit(key, 'waits')
  await scene.admit(key, 'waits too')
  await store.close()
})
afterAll(() => whole[Symbol.asyncDispose]())

async function damaged(sql: string): Promise<Scene> {
  const scratch = new Scratch()
  onTestFinished(() => scratch[Symbol.asyncDispose]())
  cpSync(whole.data, scratch.data, { recursive: true })
  const db = new DatabaseSync(scratch.database)
  db.exec(sql)
  db.close()
  return scratch.scene()
}

async function repair(scene: Scene): Promise<number> {
  let steps = 0
  for (let afterSeq: number | null = 0; afterSeq !== null; steps += 1) {
    const input = { key, afterSeq, atMs: scene.nowMs }
    const { next }: { next: number | null } = await scene.store.repairSession(input)
    afterSeq = next
  }
  return steps
}

const damages: [SessionProblem, string][] = [
  ['ready turn', `UPDATE turn SET ready = 1 WHERE status = 'queued'`],
  ['lease', 'UPDATE session SET running = 0'],
  ['lease', 'DELETE FROM lease; UPDATE session SET running = 0'],
  ['lease', `UPDATE turn SET status = 'interrupted' WHERE status = 'running'`],
  ['queued count', 'UPDATE session SET queued_turns = 7'],
  ['fence', 'UPDATE session SET fence = 1'],
  ['fence', 'UPDATE session SET fence = fence + 5'],
  ['head', 'UPDATE session SET head = 3'],
  ['head', `UPDATE session SET head_id = 'nobody'`],
  ['shown counts', 'UPDATE entry SET shown_count = 1, shown_tokens = 2'],
  ['context tokens', 'UPDATE session SET context_tokens = 12345'],
]

describe('a session whose derived columns were damaged', () => {
  it.each(damages)('(%s: %s) is found out, and whole again when it was repaired', async (problem, sql) => {
    const scene = await damaged(sql)
    expect(await scene.store.inspectSession({ key })).toContain(problem)
    const said = (await scene.entries(key)).map(({ id, body }) => [id, body])
    expect(await repair(scene)).toBe(2) // 612 entries, 500 at once
    expect(await scene.store.inspectSession({ key })).toEqual([])
    expect(problemsOf(await scene.store.verify({ quick: false, atMs: scene.nowMs }))).toEqual([])
    expect((await scene.entries(key)).map(({ id, body }) => [id, body])).toEqual(said)
    const { nowMs: atMs } = scene
    await scene.store.expireLeases({ holderIds: ['holder-1'], handedOver: false, limit: 9, atMs })
    const claim = await scene.claim()
    expect(claim.inbound[0]?.messages[0]?.content).toBe('waits')
    await scene.settle(claim, 'answered')
  })
})

describe('a session whose entries were damaged', () => {
  it.each([
    ['an entry is missing', 'PRAGMA foreign_keys = OFF; DELETE FROM entry WHERE seq = 600'],
    ['a body is no JSON', `UPDATE entry SET body = '{"role":' WHERE seq = 600`],
    ['a body is gone', 'UPDATE entry SET body = NULL WHERE seq = 600'],
    ['an entry follows another', `UPDATE entry SET parent_id = 'nobody' WHERE seq = 600`],
  ])('(%s) is found out, and no repair hides it', async (_, sql) => {
    const scene = await damaged(sql)
    expect(await scene.store.inspectSession({ key })).toContain('entries')
    await repair(scene)
    expect(await scene.store.inspectSession({ key })).toEqual(['entries'])
  })
})
