import type { ProcessFacts } from '../../host/processes.ts'
import { type Holding, holderOf } from '../gateway/holder.ts'
import { commandOf } from '../gateway/program.ts'
import type { HomeProcesses } from '../gateway/users.ts'
import type { JudgedLock, LockFacts, LockHolder, LockPayload, Verdict } from './verdict.ts'

/** What a gateway grants itself where its lock does not say (2026.5 to 2026.7: `session.writeLock.maxHoldMs`). Unit: ms. */
const maxHoldMs = 5 * 60_000
/** A file that names nobody may be one that is being written; gateways from 2026.6 wait for as long. Unit: ms. */
const malformedAfterMs = 30_000

/**
 * Says who has a lock, with proof. Pure: `around` are the processes as they were listed **after** the lock was read, or else a holder that
 * came in between is not among them. Nothing but the lock's own process decides; its age never makes it stale.
 */
export function judgeLock(lock: LockFacts, around: HomeProcesses, nowMs: number): JudgedLock {
  const { payload } = lock
  if ('pid' in payload) return judgeNamed(lock, payload, around, nowMs)
  const ageMs = Math.max(0, nowMs - lock.mtimeMs)
  const plain = { ...lock, pid: null, ageMs, operation: null, overdue: false, holder: null }
  if ('unreadable' in payload) return { ...plain, verdict: 'unknown', proof: payload.unreadable }
  const { dev, ino } = lock.identity
  const nobody = { file: { dev, ino }, pid: 0, startTicks: null, createdAtMs: null, mtimeMs: lock.mtimeMs }
  const holding = holderOf(nobody, around)
  if (holding.verdict === 'live') return { ...plain, ...liveFacts(holding, ageMs > maxHoldMs, around, lock) }
  const isOld = ageMs > malformedAfterMs
  const proof = isOld ? payload.malformed : `${payload.malformed}; it may be that it is being written`
  return { ...plain, verdict: isOld ? 'malformed' : 'unknown', proof }
}

function judgeNamed(lock: LockFacts, payload: LockPayload, around: HomeProcesses, nowMs: number): JudgedLock {
  const { mtimeMs } = lock
  const { pid, startTicks, createdAtMs } = payload
  const { dev, ino } = lock.identity
  const holding = holderOf({ file: { dev, ino }, pid, startTicks, createdAtMs, mtimeMs }, around)
  const writtenMs = [createdAtMs, mtimeMs].find((atMs) => atMs !== null && atMs <= nowMs) ?? nowMs
  const ageMs = nowMs - writtenMs
  const plain = { ...lock, pid, ageMs, operation: null, overdue: false, holder: null }
  if (holding.verdict !== 'live') return { ...plain, verdict: holding.verdict, proof: holding.proof }
  return { ...plain, ...liveFacts(holding, ageMs > (payload.maxHoldMs ?? maxHoldMs), around, lock) }
}

function liveFacts(
  { process, proof }: Extract<Holding, { verdict: 'live' }>,
  overdue: boolean,
  around: HomeProcesses,
  lock: LockFacts,
): { verdict: Verdict; proof: string; overdue: boolean; holder: LockHolder } {
  return { verdict: 'live', proof, overdue, holder: holderFacts(process, around, lock) }
}

function holderFacts(process: ProcessFacts, { looked }: HomeProcesses, { identity }: LockFacts): LockHolder {
  const details = looked.get(process.pid) ?? null
  const hasItOpen =
    details?.openFiles.some(({ file, writes }) => writes && file?.dev === identity.dev && file.ino === identity.ino) ??
    null
  return {
    pid: process.pid,
    command: commandOf(process),
    sinceMs: process.startedAtMs,
    state: process.state,
    container: details?.container ?? (process.ids.length > 1 ? process.pidNamespace : null),
    cpuShare: null,
    hasItOpen: details?.cut === true && hasItOpen === false ? null : hasItOpen,
  }
}
