import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { echo, eventually, newData } from '../../../test/engine/opened.ts'
import { parseSessionKey } from '../../model/keys.ts'
import { databaseName } from '../../sqlite/database/directory.ts'
import type { Deliver } from '../runner.ts'

const key = parseSessionKey('alice')

/** Two turns wait in a store that nobody has open, after one that was answered; then somebody damages it. */
async function waitingAndDamaged(sql: string) {
  const data = await newData()
  const before = await data.open({ run: echo })
  await before.settled((await before.submit({ key, messages: 'hello' })).turn.id)
  await before.close()
  const idle = await data.open({ run: null })
  const first = await idle.submit({ key, messages: 'one', deliverTo: ['channel'] })
  const second = await idle.submit({ key, messages: 'two' })
  await idle.close()
  change(data.directory, sql)
  return { data, first: first.turn.id, second: second.turn.id }
}

function change(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, databaseName), { enableForeignKeyConstraints: false })
  db.exec(sql)
  db.close()
}

describe('a turn that cannot be started because its session is damaged', () => {
  it('keeps nobody waiting, and runs when the session was repaired', async () => {
    const { data, first, second } = await waitingAndDamaged(
      'UPDATE session SET head = 0, head_id = NULL, shown_count = 0, shown_tokens = 0',
    )
    const engine = await data.open({ run: echo })
    const other = await engine.submit({ key: 'bob', messages: 'still there?' })
    expect((await engine.settled(other.turn.id)).turn.status).toBe('done')
    expect((await engine.settled(first)).turn.status).toBe('done')
    expect((await engine.settled(second)).turn.status).toBe('done')
    expect(engine.health().ready).toBe(true)
  })
  it.each([
    ['its messages', `UPDATE inbound SET messages = '[{"role":' WHERE turn = 2`],
    ['its instructions', 'UPDATE turn SET instructions = NULL, instructions_blob = 99 WHERE position = 2'],
  ])('ends in quarantine, told once, when %s cannot be read', async (_, sql) => {
    const { data, first, second } = await waitingAndDamaged(sql)
    const told: unknown[] = []
    const deliver: Deliver = async ({ outcome }) => void told.push(outcome?.code)
    const engine = await data.open({ run: echo, deliver })
    const other = await engine.submit({ key: 'bob', messages: 'still there?' })
    expect((await engine.settled(other.turn.id)).turn.status).toBe('done')
    expect((await engine.settled(second)).turn.status).toBe('done')
    const ended = async () => (await engine.store.listQuarantined({ limit: 9 })).items
    expect(await ended()).toMatchObject([{ id: first, outcome: { code: 'STORE_CORRUPT' } }])
    await eventually(() => told.length === 1)
    expect(told).toEqual(['STORE_CORRUPT'])
    await engine.close()
    const whole = '[{"role":"user","content":"one"}]' // for the check at the end
    change(data.directory, `UPDATE inbound SET messages = '${whole}' WHERE NOT json_valid(messages)`)
    change(data.directory, `UPDATE turn SET instructions = '[]', instructions_blob = NULL WHERE position = 2`)
    const after = await data.open({ run: echo })
    expect((await after.settled((await after.submit({ key, messages: 'three' })).turn.id)).turn.status).toBe('done')
  })
})

it('a reply that cannot be read keeps no other from being delivered', async () => {
  const data = await newData()
  const before = await data.open({ run: echo })
  for (const name of ['alice', 'bob']) {
    await before.settled((await before.submit({ key: name, messages: name, deliverTo: ['channel'] })).turn.id)
  }
  await before.close()
  change(
    data.directory,
    `UPDATE entry SET body = '{"role":' WHERE n = (SELECT min(n) FROM entry WHERE kind = 'assistant')`,
  )
  const told: string[] = []
  const engine = await data.open({ run: echo, deliver: async ({ sessionKey }) => void told.push(sessionKey) })
  await eventually(() => told.length === 1)
  expect(told).toEqual([parseSessionKey('bob')])
  await engine.close()
  change(data.directory, `UPDATE entry SET body = '{"role":"assistant","content":""}' WHERE NOT json_valid(body)`)
})
