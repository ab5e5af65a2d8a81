import { describe, expect, it } from 'vitest'
import { Scratch } from '../../../test/sqlite/scratch.ts'
import { bodyInlineMaxBytes, unpackBody } from '../../relational/rows/bodies.ts'
import { alice, penOf } from '../../testing/contract/scene.ts'
import { openForReading } from './connection.ts'

describe('a body', () => {
  it('over the limit is stored once, compressed, whoever wrote it; at the limit in its row', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    const frame = JSON.stringify({ role: 'assistant', content: '' }).length
    const atLimit = 'a'.repeat(bodyInlineMaxBytes - frame)
    const over = `${atLimit}a`
    const claim = await scene.begin(alice, 'hello')
    await scene.append(penOf(claim), atLimit, over, over)
    const db = openForReading(scratch.database)
    const rows = db.all<{ inRow: number; bytes: number }>(
      'SELECT body IS NOT NULL AS inRow, bytes FROM entry WHERE seq > 1',
    )
    expect(rows.map((row) => [row.inRow, row.bytes])).toEqual([
      [1, bodyInlineMaxBytes],
      [0, bodyInlineMaxBytes + 1],
      [0, bodyInlineMaxBytes + 1],
    ])
    const blobs = db.all<{ stored: number; bytes: number }>('SELECT stored, bytes FROM blob')
    expect(blobs).toHaveLength(1)
    expect(blobs[0]?.stored).toBeLessThan(1_000)
    const packed = db.all<{ body: string | null; body_zstd: Uint8Array }>(
      'SELECT body, body_zstd FROM v_entry WHERE seq = 3',
    )
    expect(packed[0]?.body).toBeNull()
    expect(JSON.parse(unpackBody(packed[0]?.body_zstd as Uint8Array))).toEqual({ role: 'assistant', content: over })
    db.close()
  })

  it('of instructions that come with every turn is stored once', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    const request = {
      instructions: [{ role: 'system' as const, content: 'Be kind. '.repeat(500) }],
      params: { tools: [{ type: 'function', function: { name: 'look', description: 'Looks. '.repeat(300) } }] },
      streaming: false,
    }
    for (const text of ['one', 'two', 'three']) await scene.admit(alice, text, { request })
    expect((await scene.claim()).request).toEqual(request)
    const db = openForReading(scratch.database)
    expect(db.first('SELECT count(*) AS blobs FROM blob')).toMatchObject({ blobs: 2 })
    db.close()
  })
})
