import type { Clock } from '../../host/clock.ts'
import type { Run } from '../changes/begin.ts'
import { rootOf } from '../changes/territory.ts'
import type { Forgotten, ForgottenSession } from '../gateway/delete-entry.ts'
import type { AgentHome, Home } from '../home/home.ts'
import { applyEntryChanges, type EntryChange, rawEntry } from '../index/edit.ts'
import { type IndexText, readWhole } from '../index/read.ts'
import type { CleanStep } from './steps.ts'

/** Asks the running gateway. */
export type ForgetSession = (session: ForgottenSession) => Promise<Forgotten>

/** Each takes a process of the gateway's some seconds; the rest is left to the next run, or to `prestart`. */
const sessionsMax = 50

export type Drop = CleanStep & { act: { do: 'drop' } }

/**
 * Entries leave the index of a running gateway, which takes them out itself, one by one and each only if it is still what it was. Gives the steps
 * that were not done, and why.
 */
export async function forgetEntries(
  run: Run,
  home: Home,
  agent: AgentHome,
  drops: readonly Drop[],
  { clock, forget, told }: { clock: Clock; forget: ForgetSession; told: () => void },
): Promise<Map<CleanStep, string>> {
  const left = new Map<CleanStep, string>()
  const root = rootOf(home, agent.sessionsDir)
  const { text } = await readWhole(agent.indexPath, root, clock.nowMs())
  if (text === null) return new Map(drops.map((step) => [step, 'its index cannot be read']))
  const asked: { step: Drop; session: ForgottenSession; change: EntryChange }[] = []
  for (const step of drops) {
    const found = sessionIn(text, step.key ?? '')
    if (found === null) left.set(step, 'its entry does not tell enough to be asked for')
    else if (asked.length >= sessionsMax)
      left.set(step, `the gateway is asked for ${sessionsMax} at a time; run it again`)
    else asked.push({ step, ...found })
  }
  if (asked.length === 0) return left
  let unable: string | null = null
  const entries = asked.map(({ change }) => change)
  const act = async () => {
    let done = 0
    for (const { step, session } of asked) {
      const answer: Forgotten = unable === null ? await forget(session) : { kind: 'unable', because: unable }
      if (answer.kind === 'unable') unable = answer.because
      if (answer.kind === 'done') done += 1
      else left.set(step, answer.because)
      told()
    }
    return done > 0
  }
  const note = { kind: 'drop-entry', because: `the gateway is asked to take out ${asked.length}`, key: null } as const
  const expected = applyEntryChanges(text.bytes, entries, text.parsed)
  const outcome = await run.handOver({ path: agent.indexPath, expected, entries, act }, note)
  if (!outcome.done) for (const { step } of asked) if (!left.has(step)) left.set(step, outcome.because)
  return left
}

function sessionIn(
  { bytes, parsed }: IndexText,
  key: string,
): { session: ForgottenSession; change: EntryChange } | null {
  const raw = rawEntry(bytes, parsed, key)
  const entry: unknown = raw === null ? null : JSON.parse(raw)
  if (raw === null || typeof entry !== 'object' || entry === null) return null
  const { sessionId, updatedAt } = entry as Record<string, unknown>
  if (typeof sessionId !== 'string' || typeof updatedAt !== 'number') return null
  return { session: { key, sessionId, updatedAt }, change: { key, before: raw, after: null } }
}
