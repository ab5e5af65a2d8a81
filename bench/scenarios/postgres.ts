import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'
import { migrateAt } from '../../src/postgres/migrating.ts'
import { postgresStore } from '../../src/postgres/open.ts'
import { sqliteStore } from '../../src/sqlite/open.ts'
import type { Server } from '../../test/postgres/server.ts'
import type { Bench, Scenario } from '../bench.ts'
import { interleave, type Measured, type Round, type Subject, timeEach, timeTogether } from '../measure.ts'
import { HandWritten, pgbench } from '../peers/postgres.ts'
import { atLeast, atMost, latencyFigures, type Row, type Section } from '../report.ts'
import { admission, admitMany, answer, benchKey, claim, entryOf, type Opened, openWith, Writer } from '../stored.ts'
import { closeConnections, post } from '../turns/client.ts'
import { type Running, startHoldfast, startModel } from '../turns/processes.ts'
import { bodyBytes } from './append.ts'
import { costOfTurns } from './postgres-costs.ts'

const writers = 16

export const postgresScenario: Scenario = {
  name: 'postgres',
  question: 'What does a store in PostgreSQL give, on one machine with its server and its clients?',
  run,
}

async function run(bench: Bench): Promise<Section[]> {
  const folder = bench.directory('postgres')
  for (const path of [dirname(folder), folder]) chmodSync(path, 0o777) // the server has a user of its own, where we are root
  const { Server } = await import('../../test/postgres/server.ts') // it has a hook at the exit of the process
  const server = await Server.start(['max_connections=200', 'shared_buffers=512MB'], folder)
  try {
    return [
      await appends(bench, server, folder),
      await claims(bench, server),
      await claimsTogether(bench, server),
      await gateways(bench, server, folder),
      await costOfTurns(bench, server, await schemaOf(server, 'costs', 8)),
    ]
  } finally {
    closeConnections()
    await server.stop()
  }
}

/** A migrated schema of its own; gives its address. */
async function schemaOf(server: Server, name: string, pool: number): Promise<string> {
  const url = server.url('postgres', `?schema=${name}&pool=${pool}`)
  await migrateAt(url)
  return url
}

const names = {
  pgbenchOne: 'pgbench, one client',
  pgbenchMany: `pgbench, ${writers} clients`,
  handOne: 'one statement by hand, one connection',
  handMany: `one statement by hand, ${writers} connections`,
  one: 'holdfast, one session',
  many: `holdfast, ${writers} sessions`,
  sqliteOne: 'holdfast on SQLite, one session',
  sqliteMany: `holdfast on SQLite, ${writers} sessions`,
}

async function appends(bench: Bench, server: Server, folder: string): Promise<Section> {
  bench.progress('postgres: appends')
  const rounds = bench.quick ? 3 : 5
  const count = bench.quick ? 150 : 600
  const each = Math.ceil(count / 4)
  const hand = await HandWritten.open(server.url(), writers)
  const opened = await openWith(postgresStore(await schemaOf(server, 'appends', writers)))
  const sqlite = await openWith(sqliteStore(bench.directory('beside-postgres')))
  const [sessions, besides] = [await startWriters(opened), await startWriters(sqlite)]
  const body = JSON.stringify(entryOf(bodyBytes).body)
  const one = (all: Writer[]) => () => timeEach(count, () => (all[0] as Writer).append([entryOf(bodyBytes)]))
  const many = (all: Writer[]) => () =>
    timeTogether(writers, each, (writer) => (all[writer] as Writer).append([entryOf(bodyBytes)]))
  const seconds = bench.quick ? 1 : 3
  const hasPgbench = (await pgbench(server.url(), folder, { clients: 1, seconds: 1, bodyBytes })) !== null
  const native = (name: string, clients: number): Subject[] =>
    hasPgbench
      ? [{ name, round: async () => (await pgbench(server.url(), folder, { clients, seconds, bodyBytes })) as Round }]
      : []
  const measured = await interleave(
    [
      ...native(names.pgbenchOne, 1),
      { name: names.handOne, round: () => timeEach(count, () => hand.append(0, body)) },
      { name: names.one, round: one(sessions) },
      { name: names.sqliteOne, round: one(besides) },
      ...native(names.pgbenchMany, writers),
      { name: names.handMany, round: () => timeTogether(writers, each, (writer) => hand.append(writer, body)) },
      { name: names.many, round: many(sessions) },
      { name: names.sqliteMany, round: many(besides) },
    ],
    rounds,
  )
  await hand.close()
  await opened.store.close()
  await sqlite.store.close()
  const rate = (name: string) => (measured.get(name) as Measured).perSecond
  return {
    title: 'append on PostgreSQL: one entry of 1 KB, committed, fsync on',
    rows: [...measured].map(([name, found]): Row => ({ name, role: roleOf(name), figures: latencyFigures(found) })),
    targets: [
      atLeast('one session beside the statement by hand', rate(names.one) / rate(names.handOne), 0.8),
      atLeast(`${writers} sessions beside it`, rate(names.many) / rate(names.handMany), 0.8),
    ],
    notes: [
      'pgbench tells an average, and no p99; server, clients and disk share the machine',
      ...(hasPgbench ? [] : ['pgbench is not installed (Debian: postgresql-contrib), so it was not measured']),
    ],
  }
}

const roleOf = (name: string): Row['role'] =>
  name.startsWith('pgbench') ? 'limit' : name.startsWith('one statement') ? 'peer' : 'holdfast'

const startWriters = (opened: Opened): Promise<Writer[]> =>
  Array.from({ length: writers }).reduce<Promise<Writer[]>>(
    async (before, _, number) => [...(await before), await Writer.start(opened, number)],
    Promise.resolve([]),
  )

async function claims(bench: Bench, server: Server): Promise<Section> {
  const sizes = bench.quick ? [10, 5_000] : [10, 100_000]
  const filled: { name: string; opened: Opened }[] = []
  for (const waiting of sizes) {
    const name = `holdfast, ${waiting.toLocaleString('en-US')} waiting`
    bench.progress(`postgres: ${name}`)
    const opened = await openWith(postgresStore(await schemaOf(server, `claims_${waiting}`, 8)))
    const sessions = Math.ceil(waiting / 10)
    await admitMany(
      opened.store,
      waiting,
      (index) => benchKey(index % sessions),
      (key) => key,
    )
    await server.query(`ANALYZE claims_${waiting}.turn, claims_${waiting}.source, claims_${waiting}.session`)
    filled.push({ name, opened })
  }
  const measured = await interleave(
    filled.map(({ name, opened }) => ({ name, round: () => claimAndSettle(opened, bench.quick ? 40 : 150) })),
    bench.quick ? 3 : 5,
  )
  for (const { opened } of filled) await opened.store.close()
  const medianMs = (at: number) => (measured.get(filled.at(at)?.name ?? '') as Measured).medianMs
  return {
    title: 'claim on PostgreSQL: lane rules, lease, fence, attempt and its messages, each session a source',
    rows: [...measured].map(([name, found]) => ({ name, role: 'holdfast', figures: latencyFigures(found) })),
    targets: [atMost('most waiting beside fewest', medianMs(-1) / medianMs(0), 1.5)],
    notes: [],
  }
}

/** Stores of as many gateways empty one queue; its turns are of one source, or of many. */
async function claimsTogether(bench: Bench, server: Server): Promise<Section> {
  const rows: Row[] = []
  const waiting = bench.quick ? 400 : 2_000
  for (const sources of [1, 40]) {
    for (const count of [1, 2, 4]) {
      const name = `${count} gateways, ${sources} sources`
      bench.progress(`postgres: claims, ${name}`)
      const url = await schemaOf(server, `together_${count}_${sources}`, 8)
      const opened = await Promise.all(Array.from({ length: count }, () => openWith(postgresStore(url))))
      const sourceOf = (index: number) => `source-${index % sources}`
      for (let index = 0; index < waiting; index += 1)
        await (opened[0] as Opened).store.admitTurn(admission(benchKey(index), sourceOf(index)))
      const found = (await interleave([{ name, round: () => claimAll(opened, waiting) }], 1)).get(name) as Measured
      for (const { store } of opened) await store.close()
      rows.push({ name, role: 'holdfast', figures: latencyFigures(found) })
    }
  }
  return {
    title: 'claims of several gateways at once, each session with one turn',
    rows,
    targets: [],
    notes: ['each gateway claims one turn after another; all of them share the cores with the server'],
  }
}

async function claimAll(opened: readonly Opened[], waiting: number): Promise<Round> {
  const latenciesMs: number[] = []
  const startedMs = performance.now()
  await Promise.all(
    opened.map(async (each) => {
      while (latenciesMs.length < waiting) {
        const beganMs = performance.now()
        if ((await claim(each)) !== null) latenciesMs.push(performance.now() - beganMs)
      }
    }),
  )
  return { latenciesMs, wallMs: performance.now() - startedMs }
}

async function claimAndSettle(opened: Opened, count: number): Promise<Round> {
  const latenciesMs: number[] = []
  for (let index = 0; index < count; index += 1) {
    const beganMs = performance.now()
    const claimed = await claim(opened)
    latenciesMs.push(performance.now() - beganMs)
    if (claimed === null) throw new Error('nothing to claim')
    await answer(opened, claimed)
    await opened.store.admitTurn(admission(claimed.turn.sessionKey, claimed.turn.sessionKey))
  }
  return { latenciesMs, wallMs: latenciesMs.reduce((total, each) => total + each, 0) }
}

/** Clients of the gateways together, each with a session of its own. */
const clients = 64

async function gateways(bench: Bench, server: Server, folder: string): Promise<Section> {
  const model = await startModel()
  const rows: Row[] = []
  const rates = new Map<string, number>()
  const seconds = bench.quick ? 4 : 15
  const measure = async (name: string, count: number, start: (index: number) => Promise<Running>) => {
    bench.progress(`postgres: ${name}`)
    const running: Running[] = []
    try {
      for (let index = 0; index < count; index += 1) running.push(await start(index))
      await turnsFor(1, running) // warm
      const round = await turnsFor(seconds, running)
      const found = [...(await interleave([{ name, round: async () => round }], 1)).values()][0] as Measured
      rates.set(name, found.perSecond)
      rows.push({ name, role: 'holdfast', figures: latencyFigures(found) })
    } finally {
      for (const each of running) await each.stop()
    }
  }
  try {
    const limit = await pgbench(server.url(), folder, { clients: writers, seconds: bench.quick ? 1 : 5, bodyBytes })
    if (limit !== null) {
      const found = [...(await interleave([{ name: 'limit', round: async () => limit }], 1)).values()][0] as Measured
      rows.push({ name: names.pgbenchMany, role: 'limit', figures: latencyFigures(found) })
    }
    await measure('one gateway on SQLite', 1, () => startHoldfast(bench.directory('gateway'), model.port))
    for (const count of [1, 2, 4]) {
      const url = await schemaOf(server, `gateways_${count}`, 8)
      await measure(`${count} on PostgreSQL`, count, () =>
        startHoldfast(bench.directory('gateway'), model.port, ['--store', url]),
      )
    }
  } finally {
    await model.stop()
  }
  const rate = (name: string) => rates.get(name) ?? 0
  return {
    title: `turns over HTTP, ${clients} clients, an instant model`,
    rows,
    targets: [],
    notes: [
      `one gateway on PostgreSQL gives ${(rate('1 on PostgreSQL') / rate('one gateway on SQLite')).toFixed(2)} of one on SQLite`,
      'clients, model, gateways and server share the machine: more gateways share its cores, and add none',
    ],
  }
}

async function turnsFor(seconds: number, running: readonly Running[]): Promise<Round> {
  const endMs = performance.now() + seconds * 1_000
  const startedMs = performance.now()
  const latenciesMs: number[] = []
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      const { port } = running[client % running.length] as Running
      const headers = { 'x-session-key': `agent:main:chat:direct:${client}` }
      const messages = [{ role: 'user', content: 'How are you?' }]
      while (performance.now() < endMs) {
        const beganMs = performance.now()
        const { status, body } = await post(port, '/v1/chat/completions', { model: 'instant', messages }, headers)
        if (status !== 200) throw new Error(`answered ${status}: ${body}`)
        latenciesMs.push(performance.now() - beganMs)
      }
    }),
  )
  return { latenciesMs, wallMs: performance.now() - startedMs }
}
