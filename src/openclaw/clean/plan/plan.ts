import { formatCount } from '../../../model/units.ts'
import { clearable } from '../../locks/clear.ts'
import type { JudgedLock } from '../../locks/verdict.ts'
import type { AgentFacts, HomeFacts } from '../../survey/facts.ts'
import { type CleanPlan, type CleanStep, judgedOf, pathOf } from '../steps.ts'
import { budgetOf } from './budget.ts'
import { clockSuspicion } from './clock.ts'
import { capOf, type Going, goingOf, overCap } from './going.ts'
import { type LooseFile, looseFilesOf } from './loose.ts'
import { neighboursOf, usedByOthers } from './neighbours.ts'
import { rotationOf } from './rotate.ts'
import { sessionsOf } from './sessions.ts'
import { lockedName, Staying } from './stay.ts'

export interface CleanInput {
  facts: HomeFacts
  /** By agent: of a transcript that continues another one, by its name, the name of that. */
  parents: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** A person has looked at the clock. */
  trustClock: boolean
  /** Entries are taken out by the gateway itself while it runs. */
  throughGateway: boolean
}

/**
 * What goes from a home under its policy, with reasons. An entry and its transcript go together or stay together. Nothing here is done; what cannot be
 * done now says why in `left`.
 */
export function planClean(input: CleanInput): CleanPlan {
  const { facts } = input
  const { policy, generation } = facts.home
  const plan: CleanPlan = { steps: [], notes: [] }
  if (policy.mode === 'off' || generation === 'sqlite') return plan
  const suspicion = input.trustClock ? null : clockSuspicion(facts)
  if (suspicion !== null) return { steps: [], notes: [`${suspicion}. See \`--trust-clock\`.`] }
  const indexes = new Set<string>()
  const used = usedByOthers(facts, input.parents)
  for (const agent of facts.agents) {
    if (typeof agent.state === 'object') {
      plan.notes.push(
        `The sessions of agent ${agent.id} cannot be read (${agent.state.unreadable}); they are left alone.`,
      )
    }
    const indexPath = indexPathOf(facts, agent)
    if (agent.state !== 'read' || indexes.has(indexPath)) continue
    indexes.add(indexPath)
    planAgent(input, agent, indexPath, used.get(agent) ?? new Set(), plan)
  }
  if (generation === 'mixed') {
    const left = 'a part of this home is in a database, and nothing is changed until that move is finished'
    for (const step of plan.steps) step.left ??= left
  }
  return plan
}

export function indexPathOf({ home }: HomeFacts, agent: Pick<AgentFacts, 'id' | 'sessionsDir'>): string {
  return home.agents.find(({ id }) => id === agent.id)?.indexPath ?? pathOf(agent, 'sessions.json')
}

function planAgent(
  input: CleanInput,
  agent: AgentFacts,
  indexPath: string,
  usedByOthers: ReadonlySet<string>,
  plan: CleanPlan,
): void {
  const { facts, parents } = input
  const { nowMs, home } = facts
  const doubt = doubtOf(agent) ?? doubtBeside(agent, neighboursOf(facts, agent))
  if (doubt !== null) plan.notes.push(doubt)
  const stay = new Staying(facts, agent, usedByOthers)
  const sessions = doubt === null ? sessionsOf(agent, parents.get(agent.id) ?? new Map()) : null
  const going = goingOf(sessions ?? [], stay, home.policy, nowMs)
  const loose = looseFilesOf(agent, sessions, stay, home.policy, nowMs)
  const budget = budgetOf(agent, sessions, { sessions: going, files: loose }, stay, home.policy)
  going.push(...budget.sessions)
  loose.push(...budget.files)
  const left = leftToPrestart(input)
  const maker = new StepMaker(agent, indexPath, new Set(going.flatMap(({ session }) => session.files.map(nameOf))))
  const rotation = rotationOf(agent.index, home.policy)
  if (going.length > 0 || rotation !== null) plan.steps.push(...maker.indexLock(left))
  for (const each of going) plan.steps.push(...maker.session(each, left))
  for (const each of loose) if (!maker.hasTaken(each.file.name)) plan.steps.push(...maker.file(each))
  plan.steps.push(...maker.orphanLocks())
  if (rotation !== null) {
    const { fields, bytes, because } = rotation
    const act = { do: 'slim', fields } as const
    const wait = facts.gateway.state === 'stopped' ? null : leftToPrestart({ ...input, throughGateway: false })
    plan.steps.push({ ...maker.base(null, because, bytes), kind: 'rotate-index', path: indexPath, act, left: wait })
  }
  const over = overCap(sessions ?? [], going, home.policy)
  if (over > 0) {
    const what = `${formatCount(over, 'entry', 'entries')} of agent ${agent.id} over the cap must stay`
    plan.notes.push(`${what}; ${capOf(home.policy)}.`)
  }
  if (budget.missing !== null) plan.notes.push(budget.missing)
}

/** Why the index does not tell which transcripts are in use; null: it does. */
function doubtOf({ id, index, files }: AgentFacts): string | null {
  const mend = '`holdfast repair` mends it'
  if (index.state === 'unreadable')
    return `The index of agent ${id} cannot be read (${index.because}); its sessions are left alone, and ${mend}.`
  const entries = index.state === 'read' ? index.entries.length : 0
  const transcripts = files.filter(({ kind }) => kind === 'transcript').length
  if (entries > 0 || transcripts === 0) return null
  const what = index.state === 'absent' ? 'There is no index' : 'The index is empty'
  return `${what} over ${formatCount(transcripts, 'transcript')} of agent ${id}; they are left alone, and ${mend}.`
}

/** The same of those that keep their sessions in its directory. */
function doubtBeside({ id }: AgentFacts, neighbours: readonly AgentFacts[]): string | null {
  const other = neighbours.find(({ index }) => index.state === 'unreadable')
  if (other === undefined) return null
  return `The index of agent ${other.id} cannot be read; what is in its directory is left alone, for agent ${id} too.`
}

/** Why an index may not be changed now; null: it may. */
function leftToPrestart({ facts: { gateway }, throughGateway }: CleanInput): string | null {
  if (gateway.state === 'stopped' || (gateway.state === 'running' && throughGateway)) return null
  const who =
    gateway.state === 'running'
      ? `the gateway runs (process ${gateway.pid})`
      : `it cannot be told whether a gateway runs (${gateway.because})`
  return `${who}; \`holdfast prestart\` does it before the next start`
}

const nameOf = ({ name }: { name: string }) => name

/** Makes steps of what was decided. */
class StepMaker {
  readonly #agent: AgentFacts
  readonly #indexPath: string
  readonly #taken: ReadonlySet<string>
  readonly #staleLocks: Map<string, JudgedLock>

  constructor(agent: AgentFacts, indexPath: string, taken: ReadonlySet<string>) {
    this.#agent = agent
    this.#indexPath = indexPath
    this.#taken = taken
    const stale = agent.locks.filter((lock) => clearable(lock) !== null)
    this.#staleLocks = new Map(stale.map((lock) => [lockedName(lock.path), lock]))
  }

  base(key: string | null, because: string, bytes: number): Omit<CleanStep, 'kind' | 'act' | 'path'> {
    return { agentId: this.#agent.id, key, because, bytes, left: null }
  }

  hasTaken(name: string): boolean {
    return this.#taken.has(name)
  }

  *session({ session, because }: Going, left: string | null): Generator<CleanStep> {
    const { id } = session
    for (const { key, bytes } of session.entries) {
      const drop = { kind: 'drop-entry', path: this.#indexPath, act: { do: 'drop', session: id } } as const
      yield { ...this.base(key, because, bytes), ...drop, left }
    }
    const key = session.entries[0]?.key ?? null
    for (const file of session.files) {
      const kind = file.kind === 'transcript' ? 'archive-transcript' : 'archive-leftover'
      yield* this.#take(kind, key, file, because, id, left)
    }
  }

  *file({ kind, file, because }: LooseFile): Generator<CleanStep> {
    yield* this.#take(kind, null, file, because, null, null)
  }

  *#take(
    kind: CleanStep['kind'],
    key: string | null,
    file: AgentFacts['files'][number],
    because: string,
    session: number | null,
    left: string | null,
  ): Generator<CleanStep> {
    const act = { do: 'take', judged: judgedOf(this.#agent, file), session } as const
    yield { ...this.base(key, because, file.bytes), kind, path: act.judged.path, act, left }
    yield* this.#clear(file.name, key, session, left)
  }

  /** It would keep us from the index as well. */
  *indexLock(left: string | null): Generator<CleanStep> {
    yield* this.#clear(this.#indexPath.slice(this.#indexPath.lastIndexOf('/') + 1), null, null, left)
  }

  /** Locks that nobody holds and whose transcript is gone. */
  *orphanLocks(): Generator<CleanStep> {
    const names = new Set(this.#agent.files.map(nameOf))
    for (const [name, { path }] of this.#staleLocks) {
      if (path.endsWith('.jsonl.lock') && !names.has(name)) yield* this.#clear(name, null, null, null)
    }
  }

  *#clear(name: string, key: string | null, session: number | null, left: string | null): Generator<CleanStep> {
    const lock = this.#staleLocks.get(name)
    if (lock === undefined) return
    const { path, proof } = lock
    yield { ...this.base(key, proof, 0), kind: 'clear-lock', path, act: { do: 'clear', lock, session }, left }
  }
}
