import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { crashable, echo, eventually, faulty, newData, shortLimits, untilAborted } from '../../../test/engine/opened.ts'
import { parseSessionKey } from '../../model/keys.ts'
import { nameOf } from '../../recovery/plan.ts'
import { databaseName } from '../../sqlite/database/directory.ts'
import { sqliteStore } from '../../sqlite/open.ts'
import type { Deliver } from '../runner.ts'

const key = parseSessionKey('alice')

/** A crash in the middle of a turn; then somebody damages the store. */
async function crashedAndDamaged(sql: string) {
  const data = await newData()
  const { open, crash } = crashable(sqliteStore(data.directory))
  const engine = await data.open({ run: untilAborted, store: open })
  const { turn } = await engine.submit({ key, messages: 'hello', deliverTo: ['channel'] })
  await eventually(async () => (await engine.store.listLeases()).length === 1)
  await crash()
  const db = new DatabaseSync(join(data.directory, databaseName))
  db.exec(sql)
  db.close()
  return { data, turnId: turn.id }
}

describe('a turn whose session is damaged', () => {
  it.each([
    'UPDATE session SET head = 0, head_id = NULL, shown_count = 0, shown_tokens = 0',
    'UPDATE session SET queued_turns = 5, context_tokens = 99',
    'DELETE FROM lease',
  ])('runs again when the session was repaired: %s', async (sql) => {
    const { data, turnId } = await crashedAndDamaged(sql)
    const engine = await data.open({ run: echo })
    expect((await engine.settled(turnId)).turn).toMatchObject({ status: 'done', attempts: 2 })
    const { done } = await engine.recovery.report()
    expect(done.map(nameOf)).toEqual(['repair first', 'resume'])
    const after = await engine.submit({ key, messages: 'and now?' })
    expect((await engine.settled(after.turn.id)).turn.status).toBe('done')
  })
  it('ends in quarantine, told once, when its entries cannot be read', async () => {
    const whole = '{"role":"user","content":"hello"}'
    const { data, turnId } = await crashedAndDamaged(`UPDATE entry SET body = '{"role":'`)
    const told: unknown[] = []
    const deliver: Deliver = async ({ outcome }) => void told.push(outcome?.code)
    const engine = await data.open({ run: echo, deliver })
    expect((await engine.settled(turnId)).turn).toMatchObject({
      status: 'quarantined',
      outcome: { code: 'STORE_CORRUPT' },
    })
    await eventually(() => told.length === 1)
    expect(told).toEqual(['STORE_CORRUPT'])
    const elsewhere = await engine.submit({ key: 'bob', messages: 'still there?' })
    expect((await engine.settled(elsewhere.turn.id)).turn.status).toBe('done')
    await engine.close()
    const db = new DatabaseSync(join(data.directory, databaseName))
    db.prepare('UPDATE entry SET body = ? WHERE NOT json_valid(body)').run(whole)
    db.close()
    await data.open({ run: null }) // for the check at the end of the test
  })
})

/** What a process leaves that ended in the middle of a turn. */
async function crashedWhileRunning() {
  const data = await newData()
  const { open, crash } = crashable(sqliteStore(data.directory))
  const before = await data.open({ run: untilAborted, store: open })
  const { turn } = await before.submit({ key, messages: 'hello' })
  await eventually(async () => (await before.store.listLeases()).length === 1)
  await crash()
  return { data, turn }
}

it('a disk that fails at the start stops nothing: what was left is found out when it writes again', async () => {
  const { data, turn } = await crashedWhileRunning()
  const faults = [
    { verb: 'recordStart' as const, times: 2, code: 'STORE_FULL' as const },
    { verb: 'expireLeases' as const, times: 1, code: 'STORE_IO' as const, after: true },
    { verb: 'requeueTurn' as const, times: 1, code: 'STORE_IO' as const, after: true },
  ]
  const engine = await data.open({
    run: echo,
    store: faulty(sqliteStore(data.directory), faults),
    settings: shortLimits,
  })
  const fresh = await engine.submit({ key: 'bob', messages: 'new' })
  expect((await engine.settled(fresh.turn.id)).turn.status).toBe('done')
  expect((await engine.settled(turn.id)).turn.status).toBe('done')
  expect(faults.map(({ times }) => times)).toEqual([0, 0, 0])
  expect(engine.health().ready).toBe(true)
})

it('a store that cannot note starts resumes what was left, and closes', async () => {
  const { data, turn } = await crashedWhileRunning()
  const faults = (['recordStart', 'recordEnd'] as const).map((verb) => ({
    ...{ verb, times: Number.POSITIVE_INFINITY, code: 'STORE_CORRUPT' as const },
  }))
  const engine = await data.open({ run: echo, store: faulty(sqliteStore(data.directory), faults) })
  expect((await engine.settled(turn.id)).turn.status).toBe('done')
  await engine.close()
  await data.open({ run: null }) // for the check at the end of the test
})
