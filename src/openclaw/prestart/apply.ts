import type { Clock } from '../../host/clock.ts'
import type { Run } from '../changes/begin.ts'
import type { StepReport } from '../changes/run.ts'
import { changeIndex, type EntryEdit } from '../clean/entries.ts'
import { Ledger } from '../clean/report.ts'
import { startedMeanwhile } from '../clean/still.ts'
import { readSmall } from '../files/text.ts'
import type { GatewayFacts } from '../gateway/running.ts'
import { patchEntry } from '../index/edit.ts'
import { clearable } from '../locks/clear.ts'
import { rebuildIndex } from '../repair/reindex.ts'
import { repairTranscripts } from '../repair/transcripts.ts'
import { withoutThreads } from '../survey/bindings.ts'
import type { AgentFacts, HomeFacts } from '../survey/facts.ts'
import type { PrestartStep } from './steps.ts'

export interface PrestartApplyOutside {
  clock: Clock
  /** Asked again right before an index is changed. */
  gatewayNow: () => Promise<GatewayFacts>
  /** Of the steady clock: after this no other step is begun. Unit: ms. */
  deadlineMs: number
}

type Of<Do extends PrestartStep['act']['do']> = PrestartStep & { act: Extract<PrestartStep['act'], { do: Do }> }
type OfEntry = Of<'settle' | 'mark' | 'drop' | 'slim'>

const tooLate = 'the time for it is over'

/**
 * Carries out what is put right before a start. What a lock told of a session stands in the index before the lock goes; a step that fails ends
 * itself and nothing else. @throws HoldfastError as `Run.hold`
 */
export async function applyPrestart(
  facts: HomeFacts,
  steps: readonly PrestartStep[],
  run: Run,
  outside: PrestartApplyOutside,
): Promise<StepReport[]> {
  const ledger = new Ledger(steps, () => {})
  const work = new Work(facts, run, ledger, outside)
  const ready = steps.filter(({ left }) => left === null)
  for (const agent of facts.agents) {
    await work.agent(
      agent,
      ready.filter(({ agentId }) => agentId === agent.id),
    )
  }
  await work.bindings(ready.filter(isA('unbind')))
  ledger.leaveRest(tooLate)
  return ledger.reports
}

function isA<Do extends PrestartStep['act']['do']>(...names: Do[]): (step: PrestartStep) => step is Of<Do> {
  return (step): step is Of<Do> => (names as string[]).includes(step.act.do)
}

class Work {
  readonly #facts: HomeFacts
  readonly #run: Run
  readonly #ledger: Ledger<PrestartStep['act']>
  readonly #outside: PrestartApplyOutside

  constructor(facts: HomeFacts, run: Run, ledger: Ledger<PrestartStep['act']>, outside: PrestartApplyOutside) {
    this.#facts = facts
    this.#run = run
    this.#ledger = ledger
    this.#outside = outside
  }

  get #isOver(): boolean {
    return this.#outside.clock.steadyMs() >= this.#outside.deadlineMs
  }

  async agent(agent: AgentFacts, steps: readonly PrestartStep[]): Promise<void> {
    const locks = steps.filter(isA('clear'))
    const isOfTranscript = ({ path }: PrestartStep) => path.endsWith('.jsonl.lock')
    // an index that is locked by nobody could not be written
    await this.#clear(locks.filter((step) => !isOfTranscript(step)))
    for (const step of steps.filter(isA('rebuild'))) await this.#rebuild(agent, step)
    const unmarked = await this.#entries(agent, steps.filter(isA('settle', 'mark', 'drop', 'slim')))
    await this.#clear(
      locks.filter((step) => {
        if (!isOfTranscript(step) || !unmarked.has(step.path)) return isOfTranscript(step)
        this.#ledger.left(step, 'the start would no longer know that its session was cut off')
        return false
      }),
    )
    await this.#mend(steps.filter(isA('mend')))
  }

  async #rebuild(agent: AgentFacts, step: Of<'rebuild'>): Promise<void> {
    if (this.#isOver) return
    const made = await rebuildIndex(this.#facts, agent, this.#run, this.#outside.clock)
    if (made?.done === true) this.#ledger.done(step)
    else this.#ledger.left(step, made?.left ?? 'it can be read by now')
  }

  /** Gives the locks of sessions that should have been marked and were not. */
  async #entries(agent: AgentFacts, steps: readonly OfEntry[]): Promise<Set<string>> {
    if (steps.length === 0) return new Set()
    const because = this.#isOver ? tooLate : await this.#change(agent, steps)
    for (const step of steps) {
      if (because === null) this.#ledger.done(step)
      else this.#ledger.left(step, because)
    }
    const unmarked = because === null ? [] : steps.filter(({ act }) => act.do === 'mark')
    return new Set(unmarked.map(({ key }) => this.#lockOf(agent, key)))
  }

  #lockOf({ index, sessionsDir }: AgentFacts, key: string | null): string {
    const entries = index.state === 'read' ? index.entries : []
    return `${sessionsDir}/${entries.find((entry) => entry.key === key)?.transcript}.lock`
  }

  /** Why the index was not changed; null: it was. */
  async #change(agent: AgentFacts, steps: readonly OfEntry[]): Promise<string | null> {
    const { home } = this.#facts
    const { clock } = this.#outside
    const of = home.agents.find(({ id }) => id === agent.id)
    if (of === undefined || agent.index.state !== 'read') return 'its index cannot be read'
    const started = await startedMeanwhile(this.#outside.gatewayNow, clock)
    if (started !== null) return started
    const keys = agent.index.entries.map(({ key }) => key)
    const slim = steps.find(({ act }) => act.do === 'slim')
    const [first] = steps
    if (first === undefined) return null
    const note = {
      kind: first.kind,
      because: steps.length === 1 ? first.because : `${steps.length} changes before a start`,
      key: steps.length === 1 ? first.key : null,
    }
    const backup = slim === undefined ? null : { kind: slim.kind, because: slim.because, key: null }
    const edits = editsOf(steps, keys, clock.nowMs())
    const changed = await changeIndex(this.#run, home, of, agent.index, { edits, note, backup }, clock)
    return changed.done ? null : changed.because
  }

  async #clear(steps: readonly Of<'clear'>[]): Promise<void> {
    const takings = steps.flatMap((step) => {
      const judged = clearable(step.act.lock)?.judged
      if (judged === undefined || this.#isOver) return []
      return [{ judged, note: { kind: step.kind, because: step.because, key: step.key } }]
    })
    const byPath = new Map(steps.map((step) => [step.path, step]))
    for await (const { judged, outcome } of this.#run.archiveMany(takings)) {
      const step = byPath.get(judged.path)
      if (step === undefined) continue
      if (outcome.done || outcome.left === 'missing') this.#ledger.done(step)
      else this.#ledger.left(step, outcome.because)
    }
  }

  async #mend(steps: readonly Of<'mend'>[]): Promise<void> {
    if (steps.length === 0 || this.#isOver) return
    const byPath = new Map(steps.map((step) => [step.path, step]))
    // locks that stood beside them are cleared by now
    const facts = { ...this.#facts, agents: this.#facts.agents.map((agent) => ({ ...agent, locks: [] })) }
    const asked = { wanted: new Set(byPath.keys()), told: () => {}, clock: this.#outside.clock }
    for await (const told of repairTranscripts(facts, this.#run, asked)) {
      if (!('step' in told)) continue
      const step = byPath.get(told.step.path)
      if (step === undefined) continue
      if (told.step.done) this.#ledger.done(step)
      else this.#ledger.left(step, told.step.left ?? 'it was not mended')
      byPath.delete(told.step.path)
      if (this.#isOver) return
    }
    for (const step of byPath.values()) this.#ledger.left(step, 'nothing of it can be put right')
  }

  /** One write for each file; every thread in it is told. */
  async bindings(steps: readonly Of<'unbind'>[]): Promise<void> {
    for (const some of Map.groupBy(steps, ({ path }) => path).values()) {
      const [first] = some
      if (first === undefined || this.#isOver) continue
      const because = await this.#unbind(first)
      for (const step of some) {
        if (because === null) this.#ledger.done(step)
        else this.#ledger.left(step, because)
      }
    }
  }

  async #unbind({ act, kind, path }: Of<'unbind'>): Promise<string | null> {
    const file = await readSmall(this.#facts.home.dir, path, Number(act.judged.identity.bytes))
    if (file === null) return 'it is not there any more'
    const content = Buffer.from(withoutThreads(file.data.toString('utf8'), act.places))
    const note = { kind, because: `${act.places.length} threads are let go`, key: null }
    const outcome = await this.#run.replace(act.judged, content, note)
    return outcome.done ? null : outcome.because
  }
}

/** Of one entry several things may be changed. */
function editsOf(steps: readonly OfEntry[], keys: readonly string[], nowMs: number): Map<string, EntryEdit> {
  const edits = new Map<string, EntryEdit>()
  const add = (key: string | null, edit: EntryEdit) => {
    if (key === null) return
    const before = edits.get(key)
    edits.set(key, (raw) => {
      const text = before === undefined ? raw : before(raw)
      return text === null ? null : edit(text)
    })
  }
  for (const { key, act } of steps) {
    if (act.do === 'drop') add(key, () => null)
    if (act.do === 'mark') add(key, (raw) => patchEntry(raw, { abortedLastRun: true }))
    if (act.do === 'settle') {
      // as a gateway says itself that it could not go on; a child that is marked would be gone on with all the same
      const fields = { status: 'failed', abortedLastRun: !act.isChild, endedAt: nowMs }
      add(key, (raw) => patchEntry(raw, fields))
    }
    if (act.do !== 'slim') continue
    const without = Object.fromEntries(act.fields.map((field) => [field, undefined]))
    for (const each of keys) add(each, (raw) => (raw.startsWith('{') ? patchEntry(raw, without) : raw))
  }
  return edits
}
