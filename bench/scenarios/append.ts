import { join } from 'node:path'
import type { Bench, Scenario } from '../bench.ts'
import { rawWrite } from '../canaries/raw-write.ts'
import { interleave, type Measured, type Subject, timeEach, timeTogether } from '../measure.ts'
import { JsonlGroupCommit } from '../peers/jsonl.ts'
import { findOpenClaw, OpenClawAppend } from '../peers/openclaw.ts'
import { SqliteOnMainThread } from '../peers/sqlite-main-thread.ts'
import { atLeast, atMost, latencyFigures, type Row, type Section } from '../report.ts'
import { entryOf, openStored, Writer } from '../stored.ts'

/** With role, id and the like, a body of this many letters is an entry of 1 KB. */
export const bodyBytes = 960
const entryBytes = 1_024
const writers = 64

const names = {
  raw: 'write + fdatasync, growing file',
  rawInPlace: 'write + fdatasync, in place',
  rawBatch: '64 KB write + fdatasync, growing file',
  rawBatchInPlace: '64 KB write + fdatasync, in place',
  one: 'holdfast, one session',
  many: 'holdfast, 64 sessions',
  sqlite: 'node:sqlite on the main thread, FULL',
  jsonlOne: 'JSONL group commit, one writer',
  jsonlMany: 'JSONL group commit, 64 writers',
  openClawOne: 'OpenClaw, one session (not durable)',
  openClawMany: 'OpenClaw, 64 sessions (not durable)',
}

export const append: Scenario = {
  name: 'append',
  question: 'What does it cost to store one entry of 1 KB durably?',
  run,
}

async function run(bench: Bench): Promise<Section[]> {
  const directory = bench.directory('append')
  const rounds = bench.quick ? 3 : 7
  const count = bench.quick ? 150 : 600
  const batches = Math.ceil(count / 4)
  const each = Math.max(8, count / 20)

  const raw = await rawWrite(directory)
  const opened = await openStored(join(directory, 'store'))
  const sessions = await startWriters(opened)
  const jsonl = await JsonlGroupCommit.open(join(directory, 'entries.jsonl'))
  const sqlite = new SqliteOnMainThread(join(directory, 'main-thread.sqlite'), 1)
  const installed = findOpenClaw(bench.peersFolder)
  const openClaw = installed === null ? null : new OpenClawAppend(installed.folder, bench.directory('openclaw'))

  let sqliteHead = 0
  const subjects: Subject[] = [
    { name: names.raw, round: () => raw.round('grow', count, entryBytes) },
    { name: names.rawInPlace, round: () => raw.round('overwrite', count, entryBytes) },
    { name: names.one, round: () => timeEach(count, () => (sessions[0] as Writer).append([entryOf(bodyBytes)])) },
    {
      name: names.sqlite,
      round: () =>
        timeEach(count, () => {
          const entry = entryOf(bodyBytes)
          sqlite.append(0, sqliteHead, entry.id, entry)
          sqliteHead += 1
        }),
    },
    { name: names.jsonlOne, round: () => timeEach(count, () => jsonl.append(entryOf(bodyBytes))) },
    { name: names.rawBatch, round: () => raw.round('grow', batches, entryBytes * writers) },
    { name: names.rawBatchInPlace, round: () => raw.round('overwrite', batches, entryBytes * writers) },
    {
      name: names.many,
      round: () => timeTogether(writers, each, (writer) => (sessions[writer] as Writer).append([entryOf(bodyBytes)])),
    },
    { name: names.jsonlMany, round: () => timeTogether(writers, each, () => jsonl.append(entryOf(bodyBytes))) },
  ]
  if (openClaw !== null) {
    subjects.push(
      { name: names.openClawOne, round: () => openClaw.round(1, bench.quick ? 60 : 200, bodyBytes) },
      { name: names.openClawMany, round: () => openClaw.round(writers, bench.quick ? 2 : 5, bodyBytes) },
    )
  }

  const measured = await interleave(subjects, rounds)
  await jsonl.close()
  sqlite.close()
  openClaw?.close()
  await opened.store.close()
  return [oneByOne(measured, raw.language), together(measured, raw.language)].map((section) => ({
    ...section,
    notes: [
      ...section.notes,
      installed === null ? 'OpenClaw was not measured: no --peers folder with it' : `OpenClaw ${installed.version}`,
    ],
  }))
}

async function startWriters(opened: Awaited<ReturnType<typeof openStored>>): Promise<Writer[]> {
  const started: Writer[] = []
  for (let number = 0; number < writers; number += 1) started.push(await Writer.start(opened, number))
  return started
}

function oneByOne(measured: Map<string, Measured>, language: string): Section {
  const limit = figuresOf(measured, names.raw)
  const holdfast = figuresOf(measured, names.one)
  const openClaw = measured.get(names.openClawOne)
  return {
    title: `append, one at a time (1 KB, durable; canary in ${language})`,
    rows: rowsOf(measured, limit.medianMs, [
      [names.raw, 'limit'],
      [names.rawInPlace, 'limit'],
      [names.one, 'holdfast'],
      [names.sqlite, 'peer'],
      [names.jsonlOne, 'peer'],
      [names.openClawOne, 'peer'],
    ]),
    targets: [
      atMost('median beside the limit', holdfast.medianMs / limit.medianMs, 1.7),
      atLeast('rate beside the limit', holdfast.perSecond / limit.perSecond, 0.55),
      ...(openClaw === undefined ? [] : [atLeast('rate beside OpenClaw', holdfast.perSecond / openClaw.perSecond, 6)]),
    ],
    notes: ['"the limit" is the growing file: a transcript grows; in place is what a recycled log can reach'],
  }
}

function together(measured: Map<string, Measured>, language: string): Section {
  const inEntries = (name: string): [string, Measured] => {
    const batches = figuresOf(measured, name)
    return [name, { ...batches, perSecond: batches.perSecond * writers }]
  }
  const counted = new Map([...measured, inEntries(names.rawBatch), inEntries(names.rawBatchInPlace)])
  const limit = figuresOf(counted, names.rawBatch)
  const holdfast = figuresOf(measured, names.many)
  const single = figuresOf(measured, names.one)
  const jsonl = figuresOf(measured, names.jsonlMany)
  const openClaw = measured.get(names.openClawMany)
  return {
    title: `append, 64 sessions at once (1 KB each, durable; canary in ${language}, rate in entries)`,
    rows: rowsOf(counted, limit.medianMs, [
      [names.rawBatch, 'limit'],
      [names.rawBatchInPlace, 'limit'],
      [names.many, 'holdfast'],
      [names.jsonlMany, 'peer'],
      [names.openClawMany, 'peer'],
    ]),
    targets: [
      atLeast('rate', holdfast.perSecond, 30_000, 'per second'),
      atLeast('rate beside the batched limit', holdfast.perSecond / limit.perSecond, 0.2),
      atLeast('rate beside one session alone', holdfast.perSecond / single.perSecond, 8),
      atLeast('rate beside JSONL group commit', holdfast.perSecond / jsonl.perSecond, 1),
      ...(openClaw === undefined ? [] : [atLeast('rate beside OpenClaw', holdfast.perSecond / openClaw.perSecond, 80)]),
    ],
    notes: [],
  }
}

function figuresOf(measured: Map<string, Measured>, name: string): Measured {
  const found = measured.get(name)
  if (found === undefined) throw new RangeError(`${name} was not measured`)
  return found
}

function rowsOf(measured: Map<string, Measured>, limitMs: number, wanted: [string, Row['role']][]): Row[] {
  return wanted.flatMap(([name, role]): Row[] => {
    const found = measured.get(name)
    if (found === undefined) return []
    const ratio = { label: 'median / limit', value: found.medianMs / limitMs, unit: 'times' } as const
    return [{ name, role, figures: [...latencyFigures(found), ratio] }]
  })
}
