import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteStore } from '../../src/sqlite/open.ts'
import type { Store } from '../../src/store/port.ts'
import { holderNamed, openLanes, Scene } from '../../src/testing/contract/scene.ts'
import { brokenPromises, type Fact, readJournal } from './journal.ts'
import { databaseFiles, type Injection, runInjected } from './strace.ts'

const rounds = 2
const atMs = 1_760_000_000_000

/** What the program was told before it ended, and what of that does not hold afterwards. */
export interface Aftermath {
  /** It came to its own end. */
  ended: boolean
  told: number
  refusals: string[]
  problems: string[]
}

/** Runs the writer with one fault, opens what it left, and looks for what it was told. */
export async function afterFault(injection: Omit<Injection, 'files'>): Promise<Aftermath> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-fault-'))
  try {
    const data = join(directory, 'data')
    const journal = join(directory, 'journal')
    const run = await runInjected([data, journal, String(rounds)], data, {
      ...injection,
      files: databaseFiles,
    })
    if (!existsSync(journal)) throw new Error(`the writer did not start: ${run.errors}`)
    const facts = readJournal(journal)
    const ended = facts.at(-1)?.is === 'end'
    const killed = injection.what === 'signal=KILL' && (run.signal === 'SIGKILL' || run.code === 137)
    const unexpected = ended || killed ? [] : [`the writer gave up: ${run.errors}`]
    const problems = [...unexpected, ...(await problemsIn(data, facts))]
    return { ended, told: facts.length, refusals: refusalsIn(facts), problems }
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** Opens the store as the next process would, and uses it. */
export async function problemsIn(data: string, facts: readonly Fact[]): Promise<string[]> {
  const openStore = sqliteStore(data, { diskReserveBytes: 0 })
  const scene = await Scene.open({ openStore, backupDirectory: '', dispose: async () => {} }, atMs)
  try {
    return [...(await brokenPromises(scene.store, facts, atMs)), ...(await brokenFuture(scene.store, scene))]
  } finally {
    await scene.store.close()
  }
}

/** A new message is answered, whatever happened before. */
async function brokenFuture(store: Store, scene: Scene): Promise<string[]> {
  const left = await store.listLeases()
  await store.expireLeases({ holderIds: left.map(({ holder }) => holder.id), handedOver: false, limit: 100, atMs })
  for (;;) {
    const claim = await store.claimTurn({ holder: holderNamed('next'), rules: openLanes, atMs })
    if (claim === null) break
    await scene.settle(claim, 'late, but answered', { entries: [scene.entry('late', { id: `late-${claim.turn.id}` })] })
  }
  const problems = (await store.verify({ quick: false, atMs })).checks.flatMap((check) => check.problems)
  return problems.map((problem) => `after going on: ${problem}`)
}

const refusalsIn = (facts: readonly Fact[]): string[] => [
  ...new Set(facts.flatMap((fact) => (fact.is === 'refused' ? [fact.code] : []))),
]
