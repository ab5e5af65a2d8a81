import type { ImportReport, SessionReport } from '../../../openclaw/move/bring/report.ts'
import type { Column } from '../../print/table.ts'
import { count } from '../../print/words.ts'

const sum = (session: SessionReport, of: 'user' | 'assistant' | 'tool' | 'toolCalls' | 'summaries' | 'duplicates') =>
  session.transcripts.reduce((total, each) => total + each[of], 0)

export const importColumns = (dryRun: boolean): Column<SessionReport>[] => [
  { title: 'SESSION', text: ({ as }) => as, shrinks: true },
  { title: 'STATE', text: ({ state }) => (dryRun && isWritten(state) ? 'to import' : state) },
  { title: 'TRANSCRIPTS', text: ({ transcripts }) => String(transcripts.length), align: 'right' },
  {
    title: 'MESSAGES',
    text: (session) => String(sum(session, 'user') + sum(session, 'assistant') + sum(session, 'tool')),
    align: 'right',
  },
  { title: 'CALLS', text: (session) => String(sum(session, 'toolCalls')), align: 'right' },
  { title: 'SUMMARIES', text: (session) => String(sum(session, 'summaries')), align: 'right' },
  { title: 'TWICE', text: (session) => String(sum(session, 'duplicates')), align: 'right' },
]

const isWritten = (state: SessionReport['state']) => state === 'imported' || state === 'renewed'

/** What is to be said beside the table: what is not the same here, and what is not here at all. */
export function importNotes({ sessions, leftOut, totals, dryRun }: ImportReport): string[] {
  const lines: string[] = []
  for (const { key, as, because, state } of sessions) {
    if (because !== null) lines.push(`${state === 'imported' ? 'note' : state}: ${as}: ${because}`)
    else if (key !== null && key !== as) lines.push(`${key} is ${as} here.`)
  }
  for (const { what, name, because } of leftOut) if (what === 'agent') lines.push(`left: agent ${name}: ${because}`)
  const others = leftOut.filter(({ what }) => what !== 'agent')
  if (others.length > 0)
    lines.push(`Left in the home, as no conversation or a deleted one: ${count(others.length, 'file')}.`)
  const {
    imported,
    renewed,
    present,
    left,
    mismatch,
    transcripts,
    messages,
    duplicates,
    aside,
    unreadable,
    linesLeftOut,
  } = totals
  const what = `${count(transcripts, 'transcript')}, ${count(messages, 'message')}`
  const brought = imported + renewed
  if (duplicates > 0)
    lines.push(`Stored twice in the home, kept, and shown to models once: ${count(duplicates, 'reply', 'replies')}.`)
  if (aside > 0) lines.push(`Beside the conversation, and not shown to models: ${count(aside, 'message')}.`)
  if (unreadable > 0)
    lines.push(`Carried along as they are, since nothing in them can be read: ${count(unreadable, 'line')}.`)
  if (linesLeftOut > 0) lines.push(`Not brought over, since they are too long: ${count(linesLeftOut, 'line')}.`)
  if (dryRun) lines.push(`Would be imported: ${count(brought, 'session')} (${what}). Nothing was changed.`)
  else if (brought > 0) lines.push(`Imported and compared entry by entry: ${count(brought, 'session')} (${what}).`)
  if (present > 0)
    lines.push(`${count(present, 'session')} ${present === 1 ? 'was' : 'were'} there already, and the same.`)
  if (left + mismatch > 0)
    lines.push(
      `${count(left + mismatch, 'session')} ${left + mismatch === 1 ? 'is' : 'are'} not, or not wholly, in the store.`,
    )
  return lines
}

export function isWhole({ sessions, leftOut, stopped }: ImportReport): boolean {
  const isHere = ({ state, partial }: SessionReport) => !partial && (isWritten(state) || state === 'present')
  return !stopped && sessions.every(isHere) && leftOut.every(({ what }) => what !== 'agent')
}
