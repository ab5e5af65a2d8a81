/**
 * Walks every write path of the store, notes each answer, and meets failures as a gateway would: by the same call again.
 *
 *     node writer.ts <data directory> <journal> <rounds> [full | unsafe-for-tests] [disk reserve in bytes]
 */
import { openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentHolder } from '../../../src/host/process.ts'
import type { NewEntry } from '../../../src/model/entries.ts'
import { type ErrorRecord, HoldfastError, isHoldfastError, recordOf } from '../../../src/model/errors.ts'
import { parseSessionKey, type SessionKey } from '../../../src/model/keys.ts'
import { sqliteStore } from '../../../src/sqlite/open.ts'
import type { Store } from '../../../src/store/port.ts'
import type { Claim, SettleInput } from '../../../src/store/turns.ts'
import { openLanes, penOf, Scene } from '../../../src/testing/contract/scene.ts'
import { digestOf, type Fact, note } from '../journal.ts'

const [directory, journal, rounds, synchronous, reserve] = process.argv.slice(2) as [
  string,
  string,
  string,
  string?,
  string?,
]
const descriptor = openSync(journal, 'a')
const noted = (...facts: Fact[]) => note(descriptor, ...facts)
const retriesMax = 400
const pauseMs = 25 // the store looks for room once a second
const unknownOutcomes = ['STORE_FULL', 'STORE_IO', 'STORE_CORRUPT']

const openStore = sqliteStore(directory, {
  synchronous: synchronous === 'unsafe-for-tests' ? 'unsafe-for-tests' : 'full',
  diskReserveBytes: Number(reserve ?? 0),
})
const open = () => persist(() => Scene.open({ openStore, backupDirectory: '', dispose: async () => {} }))

/** The same call until its outcome is known. */
async function persist<T>(call: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await call()
    } catch (error) {
      if (!isHoldfastError(error) || !unknownOutcomes.includes(error.code) || count === retriesMax) throw error
      noted({ is: 'refused', code: error.code })
      await sleep(pauseMs)
    }
  }
}

const holder = currentHolder(1)
let scene = await open()
const store = (): Store => scene.store
const name = (text: string) => parseSessionKey(text)

let ids = 0
function freshId(word: string): string {
  ids += 1
  return `${word}-${process.pid}-${ids}`
}

const entry = (text: string): NewEntry => scene.entry(text, { id: freshId('entry') })

async function admit(key: SessionKey, text: string): Promise<string> {
  const request = { instructions: [], params: {}, streaming: false, deliverTo: [`to:${text}`] }
  const admission = scene.admission(key, text, { turnId: freshId('turn'), request })
  const { turn } = await persist(() => store().admitTurn(admission))
  noted({ is: 'turn', key, turnId: turn.id, status: 'queued' })
  return turn.id
}

/** Claims; what an attempt with an unknown outcome may have taken is given back first. */
async function claim(): Promise<Claim> {
  for (;;) {
    const found = await persist(() => store().claimTurn({ holder, rules: openLanes, atMs: scene.nowMs }))
    if (found !== null) {
      const { turn, fence } = found
      const key = turn.sessionKey
      noted({ is: 'turn', key, turnId: turn.id, status: 'running' }, { is: 'fence', key, fence })
      return found
    }
    const lost = await persist(() =>
      store().expireLeases({ holderIds: [holder.id], handedOver: false, limit: 100, atMs: scene.nowMs }),
    )
    const interrupted = await persist(() =>
      store().listTurns({ order: 'oldest', limit: 100, statuses: ['interrupted'] }),
    )
    if (lost.length + interrupted.items.length === 0)
      throw new HoldfastError('INTERNAL', { because: 'nothing is ready' })
    for (const { id } of interrupted.items) {
      await persist(() => store().requeueTurn({ turnId: id, lane: 'resume', atMs: scene.nowMs }))
    }
  }
}

const told = (claimed: Claim, fromSeq: number, entries: NewEntry[]): Fact => ({
  is: 'entries',
  key: claimed.turn.sessionKey,
  transcript: claimed.session.transcript,
  fromSeq,
  entries: entries.map(({ id, body }) => ({ id, sha256: digestOf(body) })),
})

/** Appends a body that is large enough to be stored beside, then ends the turn. */
async function answer(claimed: Claim, text: string, more: Partial<SettleInput> = {}): Promise<void> {
  const pen = penOf(claimed)
  const working = [entry(`${text} ${text.repeat(8_000)}`), entry('and a word')]
  const { head } = await persist(() => store().appendEntries({ ...pen, entries: working, atMs: scene.nowMs }))
  noted(told(claimed, pen.head + 1, working))
  const entries = [entry(text)]
  const settling = scene.settling({ ...pen, head }, null, { entries, ...more })
  const turn = await persist(() => store().settleTurn(settling))
  noted({ is: 'turn', key: pen.key, turnId: turn.id, status: turn.status }, told(claimed, head + 1, entries))
}

const stalled: ErrorRecord = recordOf(new HoldfastError('TURN_STALLED'))

async function round(number: number): Promise<void> {
  const atMs = scene.nowMs
  const key = name(`talk-${number % 2}`)
  await admit(key, `question ${number}`)
  await admit(key, `another ${number}`)
  await answer(await claim(), `reply ${number}`)
  await answer(await claim(), `refusal ${number}`, { status: 'failed', outcome: stalled })

  const waiting = await admit(name('cancelled'), `unwanted ${number}`)
  await persist(() => store().cancelTurn({ turnId: waiting, reason: 'unwanted', atMs })).catch(settledBefore)
  noted({ is: 'turn', key: name('cancelled'), turnId: waiting, status: 'cancelled' })

  const hung = await admit(name('revoked'), `hangs ${number}`)
  const hanging = await claim()
  await persist(() => store().recordProgress({ key: name('revoked'), fence: hanging.fence, note: 'hangs', atMs }))
  await persist(() => store().revokeTurn({ turnId: hung, status: 'failed', outcome: stalled, atMs })).catch(
    settledBefore,
  )
  noted(
    { is: 'turn', key: name('revoked'), turnId: hung, status: 'failed' },
    { is: 'fence', key: name('revoked'), fence: hanging.fence + 1 },
  )

  const lost = await admit(name('lost'), `interrupted ${number}`)
  const losing = await claim()
  await persist(() => store().expireLeases({ holderIds: [holder.id], handedOver: false, limit: 100, atMs }))
  noted({ is: 'fence', key: name('lost'), fence: losing.fence + 1 })
  await persist(() => store().quarantineTurn({ turnId: lost, outcome: stalled, atMs })).catch(settledBefore)
  noted({ is: 'turn', key: name('lost'), turnId: lost, status: 'quarantined' })

  await summarise(key, number)
  const delivery = await persist(() => store().claimDelivery({ atMs }))
  if (delivery !== null) {
    const { id } = delivery
    await persist(() => store().settleDelivery({ id, status: 'sent', error: null, nextAttemptAtMs: 0 }))
  }

  const { session } = await persist(() => store().resetSession({ key: name('lost'), reason: `round ${number}`, atMs }))
  noted({ is: 'transcript', key: session.key, transcript: session.transcript })
  const done = name(`done-${number}`)
  await persist(() => store().openSession({ key: done, atMs }))
  await persist(() => store().patchSession({ key: done, title: `title ${number}`, atMs }))
  noted({ is: 'titled', key: done, title: `title ${number}` })
  await persist(() => store().archiveSession({ key: done, atMs }))
  noted({ is: 'archived', key: done })
}

/** The call before, whose outcome was unknown, had done it. */
function settledBefore(error: unknown): void {
  if (!isHoldfastError(error, 'TURN_SETTLED')) throw error
}

async function summarise(key: SessionKey, number: number): Promise<void> {
  const { transcript, head, summary } = await persist(() =>
    store().readContext({ key, tokensMax: 1_000_000_000, bytesMax: 10_000_000 }),
  )
  const text = `note ${process.pid} ${number}`
  const commit = {
    key,
    transcript,
    baseId: summary?.id ?? null,
    uptoSeq: head,
    kind: 'model' as const,
    text,
    tokens: 1,
  }
  const made = await persist(() => store().commitSummary({ ...commit, atMs: scene.nowMs })).catch((error: unknown) => {
    if (!isHoldfastError(error, 'SUMMARY_STALE')) throw error
    return null // its first try had an unknown outcome, and stands
  })
  noted({ is: 'summary', key, transcript, text, undone: false })
  if (made === null || number % 2 === 0) return
  await persist(() => store().undoSummary({ key, summaryId: made.id, atMs: scene.nowMs })).catch((error: unknown) => {
    if (!isHoldfastError(error, 'SUMMARY_STALE') && !isHoldfastError(error, 'SUMMARY_NOT_FOUND')) throw error
  })
  noted({ is: 'summary', key, transcript, text, undone: true })
}

for (let number = 1; number <= Number(rounds); number += 1) {
  scene.nowMs += 1
  await round(number)
  if (number % 2 === 0) {
    await scene.store.close() // the log is moved into the database and begun again
    scene = await open()
  }
}
await scene.store.close()
noted({ is: 'end' })
