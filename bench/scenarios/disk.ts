import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, Scenario } from '../bench.ts'
import { JsonlGroupCommit } from '../peers/jsonl.ts'
import { atMost, type Figure, type Section } from '../report.ts'
import { entryOf, openStored, Writer } from '../stored.ts'
import { bodyBytes } from './append.ts'

export const diskScenario: Scenario = {
  name: 'disk',
  question: 'How many bytes are written for an entry of 1 KB, and how many does it keep?',
  run,
}

async function run(bench: Bench): Promise<Section[]> {
  const directory = bench.directory('disk')
  const alone = bench.quick ? 400 : 2_000
  const batched = bench.quick ? 5_000 : 20_000
  const opened = await openStored(join(directory, 'store'))
  const writer = await Writer.start(opened, 0)
  const jsonl = await JsonlGroupCommit.open(join(directory, 'entries.jsonl'))

  const holdfastBytes = await writtenFor(alone, () => writer.append([entryOf(bodyBytes)]))
  const jsonlBytes = await writtenFor(alone, () => jsonl.append(entryOf(bodyBytes)))
  for (let done = 0; done < batched; done += 64) {
    await writer.append(Array.from({ length: 64 }, () => entryOf(bodyBytes)))
  }
  await jsonl.close()
  await opened.store.close()

  const payload = (alone + Math.ceil(batched / 64) * 64) * Buffer.byteLength(JSON.stringify(entryOf(bodyBytes)))
  const kept = sizeOf(join(directory, 'store')) / payload
  const written = (bytes: number | null): Figure[] =>
    bytes === null ? [] : [{ label: 'written for one append', value: bytes, unit: 'bytes' }]
  return [
    {
      title: 'disk: bytes given to write calls for one durable append of 1 KB, and size kept beside what was stored',
      rows: [
        {
          name: 'holdfast',
          role: 'holdfast',
          figures: [...written(holdfastBytes), { label: 'kept / stored', value: kept, unit: 'times' }],
        },
        {
          name: 'JSONL',
          role: 'peer',
          figures: [...written(jsonlBytes), { label: 'kept / stored', value: 1, unit: 'times' }],
        },
      ],
      targets: [
        ...(holdfastBytes === null ? [] : [atMost('written for one append', holdfastBytes, 40_000, 'bytes')]),
        atMost('kept beside what was stored', kept, 1.4),
      ],
      notes: holdfastBytes === null ? ['this system does not count the bytes a process writes'] : [],
    },
  ]
}

/** Mean bytes of all write calls of this process, checkpoints included; null where the system does not count them. */
async function writtenFor(count: number, append: () => Promise<void>): Promise<number | null> {
  const counter = '/proc/self/io'
  if (!existsSync(counter)) return null
  const read = () => Number(/^wchar: (\d+)$/m.exec(readFileSync(counter, 'utf8'))?.[1])
  const before = read()
  for (let index = 0; index < count; index += 1) await append()
  return (read() - before) / count
}

function sizeOf(directory: string): number {
  const names = readdirSync(directory).filter((name) => name.startsWith('holdfast.sqlite'))
  return names.reduce((total, name) => total + statSync(join(directory, name)).size, 0)
}
