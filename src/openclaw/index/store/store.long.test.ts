import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { IndexWriter } from '../../../../test/openclaw/index-writers.ts'
import { Seeded } from '../../../../test/openclaw/seeded.ts'
import { Ground } from '../../../../test/openclaw/unpack.ts'

describe('eight processes that change one index', () => {
  const sum = (counts: number[]) => counts.reduce((total, each) => total + each, 0)
  const padding = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`pad${at}`, { text: 'é'.repeat(500) }]))

  it.each([1, 2, 3])('lose nothing, though half of them are killed on the way (seed %i)', async (seed) => {
    using ground = new Ground()
    const seeded = new Seeded(seed)
    const indexPath = join(ground.root, 'sessions.json')
    writeFileSync(indexPath, JSON.stringify(padding, null, 2))
    const writers = Array.from({ length: 8 }, (_, at) => new IndexWriter(ground.root, `w${at}`, 100))
    onTestFinished(() => {
      for (const writer of writers) writer.kill()
    })
    let going = true
    const reader = (async () => {
      for (; going; await new Promise((resolve) => setImmediate(resolve))) JSON.parse(readFileSync(indexPath, 'utf8'))
    })()
    const killing = writers.slice(0, 4).map(async (writer) => {
      await writer.hasDone(seeded.whole(1, 80))
      await new Promise((resolve) => setTimeout(resolve, seeded.whole(0, 30)))
      writer.kill()
    })
    await Promise.all(killing)
    const ends = await Promise.all(writers.map(({ ended }) => ended))
    going = false
    await reader

    expect(writers.map(({ failure }) => failure).join('')).toBe('')
    expect(ends.slice(4)).toEqual([0, 0, 0, 0])
    const { shared, ...entries } = JSON.parse(readFileSync(indexPath, 'utf8'))
    const counts = writers.map(({ name }) => entries[name].count)
    for (const [at, { done }] of writers.entries()) {
      expect(counts[at]).toBeGreaterThanOrEqual(done)
      expect(counts[at]).toBeLessThanOrEqual(done + 1)
    }
    expect(counts.slice(4)).toEqual([100, 100, 100, 100])
    expect(shared.count).toBe(sum(counts))
    for (const [key, value] of Object.entries(padding)) expect(entries[key]).toEqual(value)
    const last = new IndexWriter(ground.root, 'last', 1)
    expect(await last.ended).toBe(0)
    expect(readdirSync(ground.root).sort()).toEqual(['sessions.json', 'sessions.json.holdfast-guard'])
  })
})
