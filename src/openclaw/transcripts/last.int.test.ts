import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { file, header, reply, row, user } from '../../../test/openclaw/transcripts/rows.ts'
import { Ground } from '../../../test/openclaw/unpack.ts'
import { openInside } from '../files/open.ts'
import { lastMessages } from './last.ts'

async function last(data: Buffer, count: number, bytesMax: number) {
  using ground = new Ground()
  const path = join(ground.root, 'a.jsonl')
  writeFileSync(path, data)
  using opened = await openInside(ground.root, path)
  if (opened === null) throw new Error('it is not there')
  const { messages, whole } = await lastMessages(opened, count, bytesMax)
  return { said: messages.map(({ role, text }) => text ?? role), whole }
}

const names = Array.from({ length: 300 }, (_, at) => `n${at}`)
const long = file(header, ...names.map((id) => reply(id, null, { text: id })))

it('gives the last messages, oldest first', async () => {
  expect(await last(long, 3, 1_000_000)).toEqual({ said: ['n297', 'n298', 'n299'], whole: false })
})
it('gives all there are, and says so', async () => {
  expect(await last(long, 300, 1_000_000)).toEqual({ said: names, whole: true })
  expect(await last(long, 1_000, 1_000_000)).toEqual({ said: names, whole: true })
  expect(await last(long, 299, 1_000_000)).toEqual({ said: names.slice(1), whole: false })
  expect(await last(Buffer.alloc(0), 3, 1_000)).toEqual({ said: [], whole: true })
})
it('reads no more than asked', async () => {
  const each = reply('n299', null, { text: 'n299' }).length + 1
  expect(await last(long, 20, each * 2 + 10)).toEqual({ said: ['n298', 'n299'], whole: false })
  expect(await last(long, 20, 10)).toEqual({ said: [], whole: false })
})
it('passes over what is no message, and over a torn end', async () => {
  const data = Buffer.concat([
    file(header, user('a', null), row('custom', 'c', 'a'), 'rubbish'),
    Buffer.from('{"type":"mess'),
  ])
  expect(await last(data, 5, 1_000_000)).toEqual({ said: ['user'], whole: true })
})
