import { formatCount, formatDuration } from '../../../model/units.ts'
import type { HomePolicy } from '../../home/policy.ts'
import type { Session } from './sessions.ts'
import { pastLimit, type Staying } from './stay.ts'

/** A session that goes, and why. */
export interface Going {
  session: Session
  because: string
}

/**
 * Sessions past a limit, the longest unused first: cron runs by their own time to live, sessions without a transcript by that of bindings, all others by
 * idle time; then as many as are over the cap. Who stays, stays in all of these.
 */
export function goingOf(sessions: readonly Session[], stay: Staying, policy: HomePolicy, nowMs: number): Going[] {
  const open = oldestFirst(sessions.filter((session) => stay.session(session) === null))
  const going: Going[] = []
  const left: Session[] = []
  for (const session of open) {
    const because = whyPast(session, policy, nowMs)
    if (because === null) left.push(session)
    else going.push({ session, because })
  }
  const total = entriesIn(sessions)
  let over = total - entriesIn(going.map(({ session }) => session)) - policy.entriesMax
  for (const session of left) {
    if (over <= 0) break
    if (session.usedAtMs === 0 && session.hasTranscript) continue
    over -= session.entries.length
    going.push({ session, because: `the index has ${formatCount(total, 'entry', 'entries')}, ${capOf(policy)}` })
  }
  return going
}

/** What stays although it is over the cap: entries of the index that may not go. */
export function overCap(sessions: readonly Session[], going: readonly Going[], policy: HomePolicy): number {
  const kept = entriesIn(sessions) - entriesIn(going.map(({ session }) => session))
  return Math.max(0, kept - policy.entriesMax)
}

export function capOf({ entriesMax, sources }: HomePolicy): string {
  const from = sources.entriesMax === undefined ? '' : ` (${sources.entriesMax})`
  return `the limit is ${entriesMax.toLocaleString('en-US')}${from}`
}

/** The one unused for the longest time comes first; among equals the order is that of the keys, so that it is always the same. */
export function oldestFirst(sessions: readonly Session[]): Session[] {
  const nameOf = ({ entries }: Session) => entries[0]?.key ?? ''
  return [...sessions].sort((a, b) => a.usedAtMs - b.usedAtMs || (nameOf(a) < nameOf(b) ? -1 : 1))
}

function whyPast(session: Session, policy: HomePolicy, nowMs: number): string | null {
  const { usedAtMs, hasTranscript, entries } = session
  if (usedAtMs === 0) return null // its age cannot be told
  const ageMs = nowMs - usedAtMs
  const past = (rule: 'cronRunMs' | 'bindingIdleMs' | 'transcriptIdleMs', what: string) => {
    const limitMs = policy[rule]
    return limitMs !== null && ageMs > limitMs ? pastLimit(what, limitMs, policy.sources[rule]) : null
  }
  const age = formatDuration(ageMs)
  if (entries.every(({ kind }) => kind === 'cron-run'))
    return past('cronRunMs', `a scheduled run, last used ${age} ago`)
  if (!hasTranscript) return past('bindingIdleMs', `it has no transcript and was unused for ${age}`)
  return past('transcriptIdleMs', `unused for ${age}`)
}

function entriesIn(sessions: readonly Session[]): number {
  return sessions.reduce((sum, { entries }) => sum + entries.length, 0)
}
