import { join } from 'node:path'
import type { Clock } from '../../host/clock.ts'
import { isHoldfastError } from '../../model/errors.ts'
import type { Run } from '../changes/begin.ts'
import type { Outcome, StepReport } from '../changes/run.ts'
import { Claims } from '../clean/claims.ts'
import { rootOf } from '../files/place.ts'
import type { Home } from '../home/home.ts'
import { withoutPath } from '../survey/because.ts'
import type { AgentFacts, FileFacts, HomeFacts } from '../survey/facts.ts'
import type { LineReport } from '../transcripts/mend.ts'
import { Alone } from './alone.ts'
import { HeaderMaker } from './header.ts'
import { type Looked, OpenTranscript } from './open.ts'
import { damageText, unmendedText } from './words.ts'

/** One transcript that is not as it should be. */
export interface TranscriptStep extends StepReport {
  kind: 'repair-transcript'
  /** Messages that a gateway can read. */
  messages: { before: number; after: number }
  lines: LineReport[]
  /** Lines that are not as they were; not more of them than 10,000 are in `lines`. */
  linesTold: number
}

/** What is wrong and stays so. */
export interface Unmended {
  path: string
  because: string
}

export type Told = { step: TranscriptStep } | { unmended: Unmended }

/**
 * Puts transcripts of a home right, one after the other, and tells of each that is not as it should be. `run` null: what would be done, and
 * nothing is. A transcript is mended in a copy that is read through before it takes the place of the original, which is in the archive
 * then. @throws HoldfastError STORE_IO, ARCHIVE_DAMAGED and others that end a run
 */
export async function* repairTranscripts(
  facts: HomeFacts,
  run: Run | null,
  { wanted, told, clock }: RepairAsked,
): AsyncGenerator<Told, void, undefined> {
  const isWanted = (path: string) => wanted === null || wanted.has(path)
  const of = facts.agents.flatMap(({ sessionsDir, files }) =>
    files.filter(({ name, kind }) => kind === 'transcript' && isWanted(join(sessionsDir, name))),
  ).length
  let done = 0
  for (const agent of facts.agents) {
    const alone = new Alone(facts, agent)
    const headers = new HeaderMaker(facts.home, agent)
    for (const file of agent.files) {
      const path = join(agent.sessionsDir, file.name)
      if (file.kind !== 'transcript' || !isWanted(path)) continue
      const root = rootOf(facts.home, agent.sessionsDir)
      const because = alone.because(file)
      yield* repairOne({ root, path, agent, file, headers, because, home: facts.home, clock }, run)
      done += 1
      told(done, of)
    }
  }
}

export interface RepairAsked {
  /** Absolute paths; null: all. */
  wanted: ReadonlySet<string> | null
  /** Transcripts looked at, of so many. */
  told: (done: number, of: number) => void
  clock: Clock
}

interface One {
  home: Home
  clock: Clock
  root: string
  path: string
  agent: AgentFacts
  file: FileFacts
  headers: HeaderMaker
  /** Why it is left alone; null: it is not. */
  because: string | null
}

async function* repairOne(one: One, run: Run | null): AsyncGenerator<Told, void, undefined> {
  const { root, path, file, headers, because } = one
  try {
    using transcript = await OpenTranscript.open(root, path)
    if (transcript === null) return
    const looked = await transcript.look((facts) => headers.make(file, facts))
    const unmended = unmendedText(looked.facts.counts)
    if (unmended !== null) yield { unmended: { path, because: unmended } }
    const step = stepOf(one, looked)
    if (step === null) return
    if (because !== null) yield { step: { ...step, left: because } }
    else if (run === null) yield { step }
    else {
      const outcome = await put(one, run, { looked, step })
      yield { step: { ...step, done: outcome.done, left: outcome.done ? null : outcome.because } }
    }
  } catch (error) {
    // while somebody writes to it there is nothing to say of it
    if (isHoldfastError(error, 'HOME_CHANGED') && because !== null) return
    if (!isHoldfastError(error) || !lefts.has(error.code)) throw error
    yield {
      step: {
        ...emptyStep(one),
        because: 'it could not be looked at',
        left: withoutPath(String(error.facts.because ?? error.message), path),
      },
    }
  }
}

/** Other tools that honour the lock of a transcript stay away while it is replaced. */
async function put(
  { home, clock, path }: One,
  run: Run,
  { looked, step }: { looked: Looked; step: TranscriptStep },
): Promise<Outcome> {
  using claims = new Claims(home, run.heldLocks, clock.nowMs())
  if (!claims.take(path)) return { done: false, left: 'locked', because: 'somebody has just locked it' }
  const note = { kind: step.kind, because: step.because, key: step.key }
  return await run.replace(looked.judged, looked.content, note)
}

const lefts: ReadonlySet<string> = new Set(['HOME_CHANGED', 'HOME_UNSAFE', 'HOME_UNREADABLE', 'REPAIR_REFUSED'])

function stepOf(one: One, { facts, repair }: Looked): TranscriptStep | null {
  if (repair === null) return null
  const messages = { before: facts.messages, after: repair.after.messages }
  const because = damageText(facts.counts)
  return { ...emptyStep(one), because, messages, lines: repair.reports, linesTold: repair.reported }
}

function emptyStep({ path, agent, file }: One): TranscriptStep {
  const { index } = agent
  const entry = index.state === 'read' ? index.entries.find(({ transcript }) => transcript === file.name) : undefined
  return {
    kind: 'repair-transcript',
    path,
    key: entry?.key ?? null,
    because: '',
    bytes: file.bytes,
    done: false,
    left: null,
    messages: { before: 0, after: 0 },
    lines: [],
    linesTold: 0,
  }
}
