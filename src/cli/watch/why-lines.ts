import type { WhyReport } from '../../engine/why.ts'
import { formatDuration } from '../../model/units.ts'
import { visibleLine } from '../print/visible.ts'
import { ago, count } from '../print/words.ts'
import type { Via } from '../reach/api.ts'

/** How many waiting turns are named; the rest is counted. */
const waitingShown = 10

/** The report as sentences; the first line is the heading. `sinceMs` and `lastProgressMs` of the report are moments. */
export function whyLines(report: WhyReport, via: Via, nowMs: number): string[] {
  const { session } = report
  return [
    `${session.key}  ${session.state}`,
    ...row('running', runningLines(report, nowMs)),
    ...row('waiting', waitingLines(report)),
    ...row('summaries', [compactionLine(report, nowMs)]),
    ...row('store', [storeLine(report)]),
    ...row('next', [via === 'store' ? nextWithoutGateway(report) : report.next]),
  ]
}

/** Whether a process that is written down as the holder still runs is not known here: it may be a program of the reader's own. */
function nextWithoutGateway({ running, lease, waiting }: WhyReport): string {
  if (running !== null) {
    const ended = lease === null ? '' : `once process ${lease.holder.pid} has ended, `
    return `No gateway answers: ${ended}the next \`holdfast serve\` runs this turn again.`
  }
  if (waiting.length > 0) return 'No gateway answers: the next `holdfast serve` runs what waits.'
  return 'Nothing waits; a message needs a gateway: start one with `holdfast serve`.'
}

function row(name: string, lines: string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? name : '').padEnd(9)}  ${line}`)
}

function runningLines({ running, lease }: WhyReport, nowMs: number): string[] {
  if (running === null) return ['nothing runs']
  const { turn, sinceMs, lastProgressMs, lastProgressNote, attempts, cancelRequested, stuck } = running
  const holder =
    lease === null ? '' : `, held by process ${lease.holder.pid} on ${lease.holder.host} (fence ${lease.fence})`
  const lines = [
    `turn ${turn.id}, attempt ${attempts}, for ${formatDuration(nowMs - sinceMs)}${holder}`,
    `last progress ${ago(lastProgressMs, nowMs)}${lastProgressNote === '' ? '' : `: ${visibleLine(lastProgressNote)}`}`,
  ]
  if (stuck) lines.push('stuck: it shows no sign of life; `holdfast leases release KEY` takes the session from it')
  if (cancelRequested !== null) lines.push(`asked to stop: ${visibleLine(cancelRequested)}`)
  return lines
}

function waitingLines({ waiting, queue }: WhyReport): string[] {
  if (waiting.length === 0) return ['nothing waits']
  const ahead = queue.aheadInLane === 0 ? '' : `; ${count(queue.aheadInLane, 'turn')} of its lane came before`
  const lines = waiting
    .slice(0, waitingShown)
    .map(
      (turn) =>
        `turn ${turn.turnId} from ${visibleLine(turn.source)}, for ${formatDuration(turn.waitedMs)}: ${causes[turn.cause]}`,
    )
  lines[0] += ahead
  const named = Math.min(waiting.length, waitingShown)
  const all = Math.max(queue.waiting, waiting.length)
  if (all > named) lines.push(`and ${all - named} more`)
  return lines
}

export const causes = {
  session: 'its session answers another turn first',
  lane: 'its lane has no free slot',
  lease: 'its session is held',
  recovery: 'it waits to be run again after a restart',
  disk: 'the store cannot write',
  compaction: 'a summary is being made',
} as const

function compactionLine({ compaction }: WhyReport, nowMs: number): string {
  const { state, sinceMs, failuresInARow, lastOutcome } = compaction
  const since = sinceMs === null || state === 'idle' ? '' : ` since ${formatDuration(nowMs - sinceMs)}`
  const failures = failuresInARow === 0 ? '' : `, ${failuresInARow} failed in a row`
  const last = lastOutcome === null ? '' : `, the last one: ${lastOutcome}`
  return `${state}${since}${failures}${last}`
}

function storeLine({ store }: WhyReport): string {
  if (store.writable) return 'writable'
  return `read-only: ${store.because?.message ?? 'the reason is not known'}`
}
