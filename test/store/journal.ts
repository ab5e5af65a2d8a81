import { createHash } from 'node:crypto'
import { readFileSync, writeSync } from 'node:fs'
import type { Entry } from '../../src/model/entries.ts'
import type { SessionKey } from '../../src/model/keys.ts'
import type { SettledStatus, TurnStatus } from '../../src/model/turns.ts'
import type { Store } from '../../src/store/port.ts'
import { problemsOf } from '../../src/testing/contract/scene.ts'

/** What a program was told by its store: after a crash all of it must hold. `refused` promises nothing. */
export type Fact =
  | { is: 'turn'; key: SessionKey; turnId: string; status: TurnStatus }
  | { is: 'fence'; key: SessionKey; fence: number }
  | { is: 'entries'; key: SessionKey; transcript: number; fromSeq: number; entries: { id: string; sha256: string }[] }
  | { is: 'transcript'; key: SessionKey; transcript: number }
  | { is: 'summary'; key: SessionKey; transcript: number; text: string; undone: boolean }
  | { is: 'archived'; key: SessionKey }
  | { is: 'titled'; key: SessionKey; title: string }
  | { is: 'refused'; code: string }
  | { is: 'end' }

export const digestOf = (body: unknown): string => createHash('sha256').update(JSON.stringify(body)).digest('hex')

/** One `write` for each fact, so that a fact is there wholly or not at all when its program is killed. */
export function note(descriptor: number, ...facts: Fact[]): void {
  for (const fact of facts) writeSync(descriptor, `${JSON.stringify(fact)}\n`)
}

export function factsIn(journal: string): Fact[] {
  return journal
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Fact => JSON.parse(line))
}

export const readJournal = (path: string): Fact[] => factsIn(readFileSync(path, 'utf8'))

const settled: readonly TurnStatus[] = ['done', 'failed', 'cancelled', 'quarantined'] satisfies SettledStatus[]

/** What of the facts does not hold in the store, and what of its own invariants; one line each. */
export async function brokenPromises(store: Store, facts: readonly Fact[], atMs: number): Promise<string[]> {
  const problems = [...problemsOf(await store.verify({ quick: false, atMs }))]
  const keys = new Set(facts.flatMap((fact) => ('key' in fact ? [fact.key] : [])))
  const transcripts = new Map<string, Entry[]>()
  for (const key of keys) {
    const session = await store.readSession(key)
    for (let transcript = 1; transcript <= (session?.transcript ?? 0); transcript += 1) {
      const entries = await allEntries(store, key, transcript)
      transcripts.set(`${key} ${transcript}`, entries)
      problems.push(...gapsIn(entries).map((gap) => `${key} ${transcript}: ${gap}`))
    }
  }
  for (const fact of facts) {
    const problem = await broken(store, transcripts, fact)
    if (problem !== null) problems.push(`${JSON.stringify(fact).slice(0, 200)}: ${problem}`)
  }
  return problems
}

async function broken(store: Store, transcripts: Map<string, Entry[]>, fact: Fact): Promise<string | null> {
  if (fact.is === 'refused' || fact.is === 'end') return null
  if (fact.is === 'turn') return brokenTurn(store, transcripts, fact)
  const session = await store.readSession(fact.key)
  if (session === null) return 'the session is lost'
  switch (fact.is) {
    case 'fence':
      return session.fence >= fact.fence ? null : `the fence fell to ${session.fence}`
    case 'transcript':
      return session.transcript >= fact.transcript ? null : `the transcript is ${session.transcript}`
    case 'archived':
      return session.state === 'archived' ? null : 'it is open'
    case 'titled':
      return session.title === fact.title ? null : 'the title is another'
    case 'entries': {
      const found = (transcripts.get(`${fact.key} ${fact.transcript}`) ?? []).slice(fact.fromSeq - 1)
      const differs = fact.entries.findIndex(
        ({ id, sha256 }, index) => found[index]?.id !== id || digestOf(found[index]?.body) !== sha256,
      )
      return differs === -1 ? null : `entry ${fact.fromSeq + differs} is lost or another`
    }
    case 'summary': {
      if (session.transcript !== fact.transcript) return null // a reset was on its way
      const found = (await store.listSummaries(fact.key)).find(({ text }) => text === fact.text)
      if (found === undefined) return 'the summary is lost'
      return fact.undone && found.undoneAtMs === null ? 'the summary is not undone' : null
    }
  }
}

async function brokenTurn(
  store: Store,
  transcripts: Map<string, Entry[]>,
  fact: Extract<Fact, { is: 'turn' }>,
): Promise<string | null> {
  const detail = await store.readTurn(fact.turnId)
  if (detail === null) return 'the turn is lost'
  const { turn } = detail
  if (settled.includes(fact.status) && turn.status !== fact.status) return `the turn is ${turn.status}`
  if (fact.status === 'running' && turn.status === 'queued' && turn.attempts === 0) return 'its start is lost'
  if (turn.transcript === null) return null
  const entries = transcripts.get(`${turn.sessionKey} ${turn.transcript}`) ?? []
  const asked = entries.filter(({ turnId, kind }) => turnId === turn.id && kind === 'user')
  const expected = detail.inbound.flatMap(({ messages }) => messages).length
  return asked.length === expected ? null : `its ${expected} message(s) stand ${asked.length} times`
}

async function allEntries(store: Store, key: SessionKey, transcript: number): Promise<Entry[]> {
  const entries: Entry[] = []
  let after: number | null = 0
  while (after !== null) {
    const page = await store.readEntries({ key, transcript, order: 'oldest', after, limit: 500 })
    entries.push(...page.entries)
    after = page.next
  }
  return entries
}

function gapsIn(entries: Entry[]): string[] {
  return entries.flatMap((entry, index) => {
    const follows = entry.seq === index + 1 && entry.parentId === (entries[index - 1]?.id ?? null)
    return follows ? [] : [`entry ${entry.seq} does not follow its predecessor`]
  })
}
