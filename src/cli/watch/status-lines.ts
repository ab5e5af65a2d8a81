import type { RecoveryState } from '../../engine/upkeep/recover.ts'
import type { RetentionState } from '../../engine/upkeep/retain/report.ts'
import type { ErrorRecord } from '../../model/errors.ts'
import type { Holder } from '../../model/holders.ts'
import { formatDuration, formatSize } from '../../model/units.ts'
import type { LaneStatistics, StoreStatistics } from '../../store/upkeep.ts'
import { ago, count } from '../print/words.ts'
import { retentionLine } from '../retention/report-lines.ts'

/** `GET /v1/status` */
export interface StatusAnswer {
  version: string
  model: string
  /** The process that answered. */
  holder: Holder
  health: { ready: boolean; because: ErrorRecord | null; draining: boolean }
  recovery: RecoveryState
  statistics: StoreStatistics
  retention: RetentionState
}

export type GatewayState = 'answers' | 'none runs' | 'does not answer'

export function statusLines(answer: StatusAnswer, gateway: GatewayState, nowMs: number): string[] {
  const { statistics } = answer
  const rows: [string, string][] = [
    ['gateway', gateway === 'answers' ? gatewayLine(answer, nowMs) : gateway],
    ...(gateway === 'answers' ? ([['model', answer.model]] satisfies [string, string][]) : []),
    ['sessions', `${statistics.sessions - statistics.sessionsArchived} open, ${statistics.sessionsArchived} archived`],
    ['entries', count(statistics.entries, 'entry', 'entries')],
    ['turns', turnsLine(statistics, gateway)],
    ...lanesWithTurns(statistics).map((lane): [string, string] => ['', laneLine(lane, nowMs)]),
    ...recoveryLine(answer, gateway).map((line): [string, string] => ['recovery', line]),
    ['store', storeLine(statistics, gateway)],
    ['verified', verifiedLine(statistics, nowMs)],
    ['sweeps', retentionLine(answer.retention, nowMs)],
  ]
  return rows.map(([name, text]) => `${name.padEnd(8)}  ${text}`)
}

function gatewayLine({ version, holder, health }: StatusAnswer, nowMs: number): string {
  const state = health.draining ? 'is stopping' : health.ready ? 'is ready' : `is not ready: ${health.because?.message}`
  return `Holdfast ${version}, process ${holder.pid} on ${holder.host}, up ${formatDuration(nowMs - holder.sinceMs)}, ${state}`
}

/** A store that nobody serves cannot tell whether the process that ran its turns still does. */
function turnsLine({ turnsRunning, turnsQueued, turnsInterrupted }: StoreStatistics, gateway: GatewayState): string {
  const interrupted = turnsInterrupted === 0 ? '' : `, ${turnsInterrupted} interrupted`
  const running = gateway === 'none runs' && turnsRunning > 0 ? 'were running' : 'running'
  return `${turnsRunning} ${running}, ${turnsQueued} waiting${interrupted}`
}

/** Only where something is not as always. */
function recoveryLine({ recovery }: StatusAnswer, gateway: GatewayState): string[] {
  const { because, crashLoop, onInMs } = recovery
  if (because === null) return []
  const state = gateway === 'answers' ? 'nothing is resumed' : 'nothing would be resumed'
  const until = onInMs === null ? '' : `, for another ${formatDuration(onInMs)}`
  return [`${crashLoop ? 'CRASH LOOP, ' : ''}${state}: ${because}${until}`]
}

function lanesWithTurns({ lanes }: StoreStatistics): LaneStatistics[] {
  return lanes.filter(({ queued, running }) => queued > 0 || running > 0)
}

function laneLine({ lane, queued, running, oldestQueuedAtMs }: LaneStatistics, nowMs: number): string {
  const oldest = oldestQueuedAtMs === null ? '' : `, the oldest for ${formatDuration(nowMs - oldestQueuedAtMs)}`
  return `lane ${lane}: ${running} running, ${queued} waiting${oldest}`
}

/** Without a gateway this command has the store open for reading; that says nothing about the disk. */
function storeLine({ bytes, writable }: StoreStatistics, gateway: GatewayState): string {
  const sizes = `${formatSize(bytes.database)}, log ${formatSize(bytes.log)}, ${formatSize(bytes.diskFree)} free on the disk`
  return writable || gateway !== 'answers' ? sizes : `read-only; ${sizes}`
}

function verifiedLine({ lastVerify }: StoreStatistics, nowMs: number): string {
  if (lastVerify === null) return 'never; check it with `holdfast verify`'
  return `${ago(lastVerify.atMs, nowMs)}, ${lastVerify.ok ? 'whole' : 'DAMAGED: see `holdfast verify`'}`
}
