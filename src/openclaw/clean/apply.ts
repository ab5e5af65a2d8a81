import type { Clock } from '../../host/clock.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { formatCount } from '../../model/units.ts'
import type { Run } from '../changes/begin.ts'
import type { Outcome, StepReport } from '../changes/run.ts'
import type { Taking } from '../changes/take.ts'
import { type Judged, sameIdentity } from '../files/identity.ts'
import { listDirectory } from '../files/list.ts'
import { rootOf } from '../files/place.ts'
import type { GatewayFacts } from '../gateway/running.ts'
import type { AgentHome, Home } from '../home/home.ts'
import { patchEntry } from '../index/edit.ts'
import { readWhole } from '../index/read.ts'
import { clearable } from '../locks/clear.ts'
import type { AgentFacts, HomeFacts } from '../survey/facts.ts'
import { Claims } from './claims.ts'
import { changeIndex, type EntryEdit } from './entries.ts'
import { type Drop, type ForgetSession, forgetEntries } from './forget.ts'
import { Ledger, type Told } from './report.ts'
import type { CleanPlan, CleanStep } from './steps.ts'
import { startedMeanwhile } from './still.ts'

export interface ApplyOutside {
  clock: Clock
  /** Asked again right before an index is changed: one may have started since it was looked at. */
  gatewayNow: () => Promise<GatewayFacts>
  /** Asks the running gateway to take an entry out; null: it is not to be asked. */
  forget: ForgetSession | null
  told: Told
}

/** A disk without room for so many files in a row has none. */
const noRoomMax = 10

/**
 * Carries a plan out, agent by agent. Entries leave the index first, all at once, and then the files of their sessions: a kill in between
 * leaves transcripts that no entry names, which the next run takes. What has changed since it was looked at stays, and says so. A disk
 * without room ends the run; what was done is done. @throws HoldfastError as `Run.hold`
 */
export async function applyClean(
  facts: HomeFacts,
  plan: CleanPlan,
  run: Run,
  outside: ApplyOutside,
): Promise<StepReport[]> {
  const ledger = new Ledger(plan.steps, outside.told)
  const work = new Work(facts.home, run, ledger, outside)
  const byAgent = Map.groupBy(
    plan.steps.filter(({ left }) => left === null),
    ({ agentId }) => agentId,
  )
  for (const agent of facts.agents) await work.agent(agent, byAgent.get(agent.id) ?? [])
  if (work.isFull) ledger.leaveRest('the disk has no room for a copy; run it again when there is some')
  return ledger.reports
}

type Slim = CleanStep & { act: { do: 'slim' } }

class Work {
  isFull = false
  #noRoom = 0
  readonly #home: Home
  readonly #run: Run
  readonly #ledger: Ledger<CleanStep['act']>
  readonly #outside: ApplyOutside

  constructor(home: Home, run: Run, ledger: Ledger<CleanStep['act']>, outside: ApplyOutside) {
    this.#home = home
    this.#run = run
    this.#ledger = ledger
    this.#outside = outside
  }

  async agent(agent: AgentFacts, steps: readonly CleanStep[]): Promise<void> {
    if (this.isFull || steps.length === 0) return
    // a lock on the index that nobody holds would keep us out as well
    const isIndexLock = ({ act }: CleanStep) => act.do === 'clear' && !act.lock.path.endsWith('.jsonl.lock')
    await this.#files(steps.filter(isIndexLock))
    const stays = await this.#entries(agent, steps)
    const files: CleanStep[] = []
    for (const step of steps) {
      if ((step.act.do !== 'take' && step.act.do !== 'clear') || isIndexLock(step)) continue
      const because = step.act.session === null ? null : (stays.get(step.act.session) ?? null)
      if (because === null) files.push(step)
      else this.#ledger.left(step, because)
    }
    // a lock that nobody holds goes first: its transcript could not be taken otherwise
    await this.#files(files.filter(({ act }) => act.do === 'clear'))
    await this.#files(files.filter(({ act }) => act.do === 'take'))
  }

  /** Gives the sessions whose entries are still there, and why: their files stay too. */
  async #entries(agent: AgentFacts, steps: readonly CleanStep[]): Promise<Map<number, string>> {
    const stays = await this.#atWork(agent, steps)
    const drops: Drop[] = []
    for (const step of steps.filter((each): each is Drop => each.act.do === 'drop')) {
      const because = stays.get(step.act.session)
      if (because === undefined) drops.push(step)
      else this.#ledger.left(step, because)
    }
    const slims = steps.filter((step): step is Slim => step.act.do === 'slim')
    if (drops.length + slims.length === 0) return stays
    const because = await this.#change(agent, drops, slims)
    for (const step of [...drops, ...slims]) {
      const why = because.get(step) ?? null
      if (why === null) this.#ledger.done(step)
      else this.#ledger.left(step, why)
      if (why !== null && step.act.do === 'drop') stays.set(step.act.session, why)
    }
    return stays
  }

  /** Sessions of which a file is not what was judged any more, or has been locked: somebody is at work there. */
  async #atWork(agent: AgentFacts, steps: readonly CleanStep[]): Promise<Map<number, string>> {
    const stays = new Map<number, string>()
    const files = steps.flatMap(({ act }) => (act.do === 'take' && act.session !== null ? [act] : []))
    if (files.length === 0) return stays
    const listed = (await listDirectory(rootOf(this.#home, agent.sessionsDir), agent.sessionsDir)) ?? []
    const now = new Map(listed.map(({ name, identity }) => [name, identity]))
    const stale = new Set(steps.flatMap(({ act, path }) => (act.do === 'clear' ? [path] : [])))
    for (const { judged, session } of files) {
      const name = judged.path.slice(agent.sessionsDir.length + 1)
      const identity = now.get(name)
      if (identity === undefined || !sameIdentity(identity, judged.identity))
        stays.set(session as number, `${name} has changed since it was looked at`)
      else if (now.has(`${name}.lock`) && !stale.has(`${judged.path}.lock`))
        stays.set(session as number, `${name} has been locked since it was looked at`)
    }
    return stays
  }

  /** Changes the index. Gives the steps that were not done, and why. */
  async #change(agent: AgentFacts, drops: readonly Drop[], slims: readonly Slim[]): Promise<Map<CleanStep, string>> {
    const all = [...drops, ...slims]
    const left = (because: string) => new Map<CleanStep, string>(all.map((step) => [step, because]))
    const home = this.#home.agents.find(({ id }) => id === agent.id)
    if (home === undefined || agent.index.state !== 'read') return left('its index cannot be read')
    const { clock, forget } = this.#outside
    if (forget !== null && slims.length === 0) {
      const asked = await forgetEntries(this.#run, this.#home, home, drops, { clock, forget, told: () => {} })
      return await this.#confirmed(home, drops, asked)
    }
    const started = await startedMeanwhile(this.#outside.gatewayNow, clock)
    if (started !== null) return left(started)
    const edits = editsOf(
      drops,
      slims,
      agent.index.entries.map(({ key }) => key),
    )
    const kind = drops.length > 0 ? 'drop-entry' : 'rotate-index'
    const note = {
      kind,
      because: becauseOf(drops, slims),
      key: all.length === 1 ? (drops[0]?.key ?? null) : null,
    } as const
    const backup = slims[0] === undefined ? null : { kind: slims[0].kind, because: slims[0].because, key: null }
    const changed = await changeIndex(this.#run, this.#home, home, agent.index, { edits, note, backup }, clock)
    if (!changed.done) {
      if (changed.left !== 'no room') return left(changed.because)
      this.isFull = true
      return left('the disk has no room for a copy of the index')
    }
    return await this.#confirmed(home, drops, new Map())
  }

  /** With those whose entry stands in the index in spite of all. */
  async #confirmed(
    home: AgentHome,
    drops: readonly Drop[],
    left: Map<CleanStep, string>,
  ): Promise<Map<CleanStep, string>> {
    const back = await this.#comeBack(home, drops)
    for (const step of drops) if (back.has(step.key) && !left.has(step)) left.set(step, 'its entry was written again')
    return left
  }

  /** Entries that somebody has written again since they were taken out. Where that cannot be told, all may be. */
  async #comeBack(agent: AgentHome, drops: readonly Drop[]): Promise<Set<string | null>> {
    const root = rootOf(this.#home, agent.sessionsDir)
    const { text } = await readWhole(agent.indexPath, root, this.#outside.clock.nowMs())
    const keys = text === null ? null : new Set<string | null>(text.parsed.members.map(({ key }) => key))
    return new Set(drops.map(({ key }) => key).filter((key) => keys === null || keys.has(key)))
  }

  async #files(steps: readonly CleanStep[]): Promise<void> {
    using claims = new Claims(this.#home, this.#run.heldLocks, this.#outside.clock.nowMs())
    const byFile = new Map<Judged, CleanStep>()
    for await (const { judged, outcome } of this.#run.archiveMany(this.#takings(steps, claims, byFile))) {
      const step = byFile.get(judged)
      byFile.delete(judged)
      if (step === undefined) continue
      claims.release(step.path)
      this.#ended(step, outcome)
    }
  }

  *#takings(steps: readonly CleanStep[], claims: Claims, byFile: Map<Judged, CleanStep>): Generator<Taking> {
    for (const step of steps) {
      if (this.isFull) return
      const { kind, because, key, act } = step
      const judged = act.do === 'clear' ? clearable(act.lock)?.judged : act.do === 'take' ? act.judged : undefined
      if (judged === undefined) this.#ledger.left(step, 'it is no longer proven that nobody holds it')
      else if (kind !== 'archive-transcript' || this.#claim(step, claims)) {
        byFile.set(judged, step)
        yield { judged, note: { kind, because, key } }
      }
    }
  }

  #claim(step: CleanStep, claims: Claims): boolean {
    try {
      if (claims.take(step.path)) return true
      this.#ledger.left(step, 'somebody has taken its lock meanwhile')
    } catch (error) {
      if (!isHoldfastError(error, 'STORE_FULL') && !isHoldfastError(error, 'HOME_READ_ONLY')) throw error
      this.#ended(step, {
        done: false,
        left: error.code === 'STORE_FULL' ? 'no room' : 'no access',
        because: error.message,
      })
    }
    return false
  }

  #ended(step: CleanStep, outcome: Outcome): void {
    if (outcome.done) {
      this.#noRoom = 0
      this.#ledger.done(step)
      return
    }
    this.#noRoom = outcome.left === 'no room' ? this.#noRoom + 1 : 0
    if (this.#noRoom >= noRoomMax) this.isFull = true
    this.#ledger.left(step, outcome.left === 'no room' ? 'the disk has no room for a copy of it' : outcome.because)
  }
}

function editsOf(drops: readonly Drop[], slims: readonly Slim[], keys: readonly string[]): Map<string, EntryEdit> {
  const edits = new Map<string, EntryEdit>()
  const fields = slims.flatMap(({ act }) => act.fields)
  const without = Object.fromEntries(fields.map((field) => [field, undefined]))
  const slim: EntryEdit = (raw) => (raw.startsWith('{') ? patchEntry(raw, without) : raw)
  if (fields.length > 0) for (const key of keys) edits.set(key, slim)
  for (const { key } of drops) if (key !== null) edits.set(key, () => null)
  return edits
}

function becauseOf(drops: readonly Drop[], slims: readonly Slim[]): string {
  if (drops.length === 1 && drops[0] !== undefined && slims.length === 0) return drops[0].because
  const gone = drops.length === 0 ? [] : [`${formatCount(drops.length, 'entry goes', 'entries go')}`]
  return [...gone, ...slims.map(({ because }) => because)].join('; ')
}
