import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Bench, Scenario } from '../bench.ts'
import { interleave, type Measured, timeEach } from '../measure.ts'
import { readTail, readWhole } from '../peers/jsonl-reading.ts'
import { atLeast, atMost, type Row, type Section } from '../report.ts'
import { benchKey, entryOf, openStored, Writer } from '../stored.ts'
import { bodyBytes } from './append.ts'

const run = promisify(execFile)
const key = benchKey(0)
const megabyte = 1_000_000
const tailEntries = 50

/** What a model with a window of 32k tokens can be shown. */
const contextTokens = 28_000
const contextBytes = 2 * megabyte

export const readContext: Scenario = {
  name: 'read-context',
  question: 'Does it matter how long a conversation is when its end is read?',
  run: async (bench) => {
    const sizes = bench.quick ? [1, 10] : [1, 10, 100]
    const sections: { size: number; measured: Map<string, Measured>; section: Section }[] = []
    for (const size of sizes) {
      bench.progress(`read-context: a transcript of ${size} MB`)
      sections.push(await measureSize(bench, size))
    }
    return [...sections.map(({ section }) => section), bySize(sections)]
  },
}

async function measureSize(bench: Bench, size: number) {
  const directory = bench.directory(`read-${size}mb`)
  const storeDirectory = join(directory, 'store')
  const file = join(directory, 'transcript.jsonl')
  await fill(storeDirectory, file, size * megabyte)

  const { store } = await openStored(storeDirectory)
  const warm = bench.quick ? 40 : 100
  const whole = size >= 100 ? 2 : 6
  const measured = await interleave(
    [
      {
        name: 'holdfast: context',
        round: () => timeEach(warm, () => store.readContext({ key, tokensMax: contextTokens, bytesMax: contextBytes })),
      },
      {
        name: 'holdfast: last 50',
        round: () => timeEach(warm, () => store.readEntries({ key, order: 'newest', limit: tailEntries })),
      },
      { name: 'JSONL: last 50 from the end', round: () => timeEach(warm, () => readTail(file, tailEntries)) },
      { name: 'JSONL: whole file, JSON.parse each line', round: () => timeEach(whole, () => readWhole(file)) },
    ],
    bench.quick ? 3 : 5,
  )
  await store.close()

  const memory = {
    'holdfast: context': await alone('context', storeDirectory),
    'holdfast: last 50': await alone('tail', storeDirectory),
    'JSONL: last 50 from the end': await alone('jsonl-tail', file),
    'JSONL: whole file, JSON.parse each line': await alone('jsonl', file),
  }
  const rows = [...measured].map(([name, found]): Row => {
    const fresh = memory[name as keyof typeof memory]
    return {
      name,
      role: name.startsWith('holdfast') ? 'holdfast' : 'peer',
      figures: [
        { label: 'median', value: found.medianMs, unit: 'ms' },
        { label: 'p99', value: found.p99Ms, unit: 'ms' },
        { label: 'open + read in a new process', value: fresh.openAndReadMs, unit: 'ms' },
        { label: 'peak memory of it', value: fresh.memoryBytes, unit: 'bytes' },
      ],
    }
  })
  const tail = measured.get('holdfast: last 50') as Measured
  const full = measured.get('JSONL: whole file, JSON.parse each line') as Measured
  const targets = [
    atMost('last 50, warm', tail.medianMs, 0.5, 'ms'),
    atMost('open + last 50', memory['holdfast: last 50'].openAndReadMs, 3, 'ms'),
    atLeast('whole file beside last 50', full.medianMs / tail.medianMs, 5),
  ]
  return {
    size,
    measured,
    section: { title: `read the end of a ${size} MB transcript`, rows, targets, notes: [openNote] },
  }
}

function bySize(sections: { size: number; measured: Map<string, Measured> }[]): Section {
  const first = sections[0]
  const last = sections.at(-1)
  if (first === undefined || last === undefined) throw new RangeError('no sizes')
  const ratio = (name: string) =>
    (last.measured.get(name) as Measured).medianMs / (first.measured.get(name) as Measured).medianMs
  const label = `${last.size} MB / ${first.size} MB`
  return {
    title: `how the time grows from ${first.size} MB to ${last.size} MB`,
    rows: [...first.measured.keys()].map((name) => ({
      name,
      role: name.startsWith('holdfast') ? 'holdfast' : 'peer',
      figures: [{ label, value: ratio(name), unit: 'times' }],
    })),
    targets: [atMost('context', ratio('holdfast: context'), 1.3), atMost('last 50', ratio('holdfast: last 50'), 1.3)],
    notes: [],
  }
}

const openNote = "opening starts three threads, takes the directory's lock and checks the file: once for each process"

/** The same entries in the store and in a file. */
async function fill(storeDirectory: string, file: string, bytes: number): Promise<void> {
  const opened = await openStored(storeDirectory)
  const writer = await Writer.start(opened, 0)
  const lines = createWriteStream(file)
  const perBatch = 200
  for (let written = 0; written < bytes; ) {
    const entries = Array.from({ length: perBatch }, () => entryOf(bodyBytes))
    await writer.append(entries)
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
    if (!lines.write(text)) await once(lines, 'drain')
    written += text.length
  }
  lines.end()
  await finished(lines)
  await opened.store.close()
}

async function alone(what: string, path: string): Promise<{ openAndReadMs: number; memoryBytes: number }> {
  const program = fileURLToPath(new URL('../read-alone.ts', import.meta.url))
  const { stdout } = await run(process.execPath, [program, what, path])
  return JSON.parse(stdout)
}
