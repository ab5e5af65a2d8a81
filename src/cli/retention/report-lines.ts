import type { RetentionState, SweepEvent, SweepReport } from '../../engine/upkeep/retain/report.ts'
import { formatDuration, formatSize } from '../../model/units.ts'
import type { RetentionStep } from '../../retention/steps.ts'
import { ago, count } from '../print/words.ts'

/** One line for one step: what, where to, why. */
export function stepLine({ step, outcome, because }: Extract<SweepEvent, { type: 'step' }>): string {
  const mark = outcome === 'stayed' ? 'stays   ' : outcome === 'done' ? 'done    ' : 'would go'
  return `${mark}  ${whatOf(step)}: ${outcome === 'stayed' ? (because ?? '') : step.because}`
}

function whatOf(step: RetentionStep): string {
  switch (step.kind) {
    case 'take out': {
      const to = step.end === 'archive' ? 'to the archives' : 'to the trash'
      const size = `${count(step.entries, 'entry', 'entries')}${step.bytes === 0 ? '' : `, ${formatSize(step.bytes)}`}`
      return `${step.key}${step.whole ? '' : ` transcript ${step.transcripts.join(', ')}`} ${to} (${size})`
    }
    case 'to trash':
      return `archives/${step.folder} to the trash (${count(step.transcripts, 'transcript')}, ${formatSize(step.bytes)})`
    case 'delete':
      return `trash/${step.folder} is deleted for good (${count(step.transcripts, 'transcript')}, ${formatSize(step.bytes)})`
    case 'forget':
      return `${step.place}/${step.folder}, an empty folder`
  }
}

export function reportLines(report: SweepReport): string[] {
  const { sessions, transcripts, entries, bytes, packedBytes, applied } = report
  const least = report.more && !applied ? 'at least ' : ''
  const packed = packedBytes === 0 ? '' : `, ${formatSize(packedBytes)} compressed`
  const what = `${count(sessions, 'session')}, ${count(transcripts, 'transcript')}, ${count(entries, 'entry', 'entries')}`
  const lines =
    transcripts === 0
      ? [`Nothing ${applied ? 'was to go' : 'would go'} from the store.`]
      : [`${applied ? 'Taken out' : 'Would go'}: ${least}${what} (${formatSize(bytes)}${packed}).`]
  if (report.toTrash > 0) lines.push(`${count(report.toTrash, 'archived transcript')} to the trash.`)
  if (report.deleted > 0) {
    lines.push(`${count(report.deleted, 'transcript')} deleted for good (${formatSize(report.deletedBytes)}).`)
  }
  if (report.stayed > 0) lines.push(`${count(report.stayed, 'step')} could not be taken; the next sweep looks again.`)
  if (report.overBudget !== null) lines.push(report.overBudget.because)
  if (report.clock.kind === 'suspect') lines.push(`The clock is not trusted: ${report.clock.because}.`)
  if (applied && report.more) lines.push('There is more; the next sweep goes on.')
  for (const manifest of report.manifests) lines.push(`Undo with: holdfast retain --undo ${manifest}`)
  if (!applied && transcripts + report.deleted + report.toTrash > 0) {
    lines.push('Nothing was changed. Carry it out with: holdfast retain --apply')
  }
  return lines
}

/** One line for `status`. */
export function retentionLine(state: RetentionState, nowMs: number): string {
  if (state.mode === 'off') return 'off'
  const { last, clock, nextAtMs, busy, damaged } = state
  const parts: string[] = [state.mode]
  if (busy) parts.push('a sweep is going on')
  if (last !== null) {
    const what = `${count(last.sessions, 'session')} ${last.applied ? 'taken out' : 'would go'}`
    parts.push(`last ${ago(last.endedAtMs, nowMs)}, ${what}`)
    if (last.overBudget !== null) parts.push('OVER the disk budget')
  }
  if (nextAtMs !== null) parts.push(`next in ${formatDuration(Math.max(0, nextAtMs - nowMs))}`)
  if (clock?.kind === 'suspect') parts.push(`paused: ${clock.because}`)
  if (damaged.length > 0) parts.push(`${count(damaged.length, 'folder')} DAMAGED`)
  return parts.join('; ')
}
