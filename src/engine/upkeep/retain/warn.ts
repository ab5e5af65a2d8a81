import { isHoldfastError } from '../../../model/errors.ts'
import type { Session } from '../../../model/sessions.ts'
import type { Ground } from '../../ground.ts'
import type { SweepReport } from './report.ts'

const code = 'RETENTION_WARNING'
/** The same thing is not told twice a day. */
const everyMs = 24 * 3_600_000
/** Events looked through for the last warning. */
const eventsMax = 50

/** Tells people what a sweep would take out, or that the budget cannot be met: in the session of theirs that was active last. */
export async function warnPeople(ground: Ground, report: SweepReport): Promise<void> {
  const text = warningOf(report)
  if (text === null) return
  ground.log.warn({ sessions: report.sessions, overBudget: report.overBudget !== null }, text)
  const session = await activeSession(ground)
  if (session === null || (await wasTold(ground, session))) return
  try {
    await ground.store.addEvent({ key: session.key, code, text, atMs: ground.clock.nowMs() })
  } catch (error) {
    // It is in the middle of a turn: the next sweep tells.
    if (!isHoldfastError(error, 'SESSION_BUSY') && !isHoldfastError(error, 'SESSION_NOT_FOUND')) throw error
  }
}

function warningOf({ applied, sessions, transcripts, deleted, more, overBudget }: SweepReport): string | null {
  if (overBudget !== null) return `The disk budget cannot be met: ${overBudget.because}`
  if (applied || transcripts + deleted === 0) return null
  const earlier = transcripts === sessions ? '' : ` (${transcripts} transcripts)`
  const least = more ? 'at least ' : ''
  const trash = deleted === 0 ? '' : ` and delete ${deleted} transcripts from the trash for good`
  return (
    `Retention would take ${least}${sessions} sessions${earlier} out of the store${trash}. Nothing was changed: retention.mode ` +
    'is "warn". `holdfast retain --dry-run` shows them.'
  )
}

async function activeSession({ store }: Ground): Promise<Session | null> {
  const pages = await Promise.all(
    (['main', 'direct'] as const).map((kind) => store.listSessions({ kind, state: 'open', limit: 1 })),
  )
  const [newest] = pages.flatMap(({ items }) => items).sort((a, b) => b.activeAtMs - a.activeAtMs)
  return newest ?? null
}

/** Read from the session itself, so that a restart does not tell it again. */
async function wasTold({ store, clock }: Ground, { key }: Session): Promise<boolean> {
  const { entries } = await store.readEntries({ key, order: 'newest', kinds: ['event'], limit: eventsMax })
  const told = entries.find((entry) => 'code' in entry.body && entry.body.code === code)
  return told !== undefined && clock.nowMs() - told.atMs < everyMs
}
