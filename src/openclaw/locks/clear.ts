import type { Judged } from '../files/identity.ts'
import type { JudgedLock } from './verdict.ts'

/**
 * What is to be taken away, and why; null where the lock stays. Taking it is a rename to a unique name beside it and a comparison there,
 * so that the lock of a holder that came in between is put back: see `files/set-aside.ts`. The verdict need not be asked again: a
 * process that has ended stays ended, and a file that is still the judged one names no other.
 */
export function clearable(lock: JudgedLock): { judged: Judged; because: string } | null {
  const { verdict, what, path, identity, sha256, proof } = lock
  const isProven = verdict === 'dead' || verdict === 'recycled' || verdict === 'malformed'
  return isProven && what === 'file' ? { judged: { path, identity, sha256 }, because: proof } : null
}

/** Whether it keeps messages waiting and nobody can tell when that ends. A holder at work is no reason to worry. */
export function blocks({ verdict, overdue, payload }: JudgedLock): boolean {
  const isFresh = verdict === 'unknown' && 'malformed' in payload
  return (verdict !== 'live' && !isFresh) || overdue
}
