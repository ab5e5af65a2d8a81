import type { SessionKey } from '../../model/keys.ts'
import { all, type Steps } from '../../relational/steps.ts'
import type { WriteVerbs } from '../../relational/write-verbs.ts'

/**
 * What a verb holds before its first statement, so that all it reads afterwards stays as it is until its end. The session comes
 * first, everywhere; several of them in the order of their rows. A session that is not there yet is held by nobody: of two that
 * make it, the second finds its row and is tried again.
 *
 * Not here: `claimTurn` holds the turn that it found, and passes over what others hold; `expireLeases` holds what it takes;
 * `recordProgress` and what concerns deliveries are single statements about a row of their own.
 */
const lockSql = {
  session: 'SELECT id FROM session WHERE key = ?1 FOR UPDATE',
  sessions: `
    SELECT s.id FROM session s WHERE s.key IN (SELECT value FROM json_each(?1)) ORDER BY s.id FOR UPDATE`,
  sessionOfTurn: 'SELECT s.id FROM session s WHERE s.id = (SELECT session FROM turn WHERE id = ?1) FOR UPDATE',
  sessionOfArchive: 'SELECT s.id FROM session s WHERE s.key = (SELECT key FROM archived WHERE id = ?1) FOR UPDATE',
  archive: 'SELECT id FROM archived WHERE id = ?1 FOR UPDATE',
  job: 'SELECT id FROM job WHERE name_id = ?1 FOR UPDATE',
}

const ofKey = ({ key }: { key: SessionKey }) => all(lockSql.session, key)
const ofTurn = ({ turnId }: { turnId: string }) => all(lockSql.sessionOfTurn, turnId)
const ofJob = ({ id }: { id: string }) => all(lockSql.job, id)

// biome-ignore lint/suspicious/noExplicitAny: each takes the input of its verb.
const locks: { [V in keyof WriteVerbs]?: (input: any) => Steps<unknown> } = {
  openSession: ofKey,
  patchSession: ofKey,
  resetSession: ofKey,
  archiveSession: ofKey,
  appendEntries: ofKey,
  admitTurn: ofKey,
  settleTurn: ofKey,
  repairSession: ofKey,
  commitSummary: ofKey,
  undoSummary: ofKey,
  deleteSession: ofKey,
  addEvent: ofKey,
  requeueTurn: ofTurn,
  cancelTurn: ofTurn,
  revokeTurn: ofTurn,
  quarantineTurn: ofTurn,
  releaseTurn: ofTurn,
  putJob: ({ job }: { job: { id: string } }) => ofJob(job),
  removeJob: ofJob,
  switchJob: ofJob,
  moveJob: ofJob,
  *startJob({ id, admission }: { id: string; admission: { key: SessionKey } }) {
    yield* ofJob({ id })
    yield* ofKey(admission)
  },
  takeOut: ({ items }: { items: { key: SessionKey }[] }) =>
    all(lockSql.sessions, JSON.stringify(items.map(({ key }) => key))),
  *putBack({ id }: { id: number }) {
    yield* all(lockSql.archive, id)
    yield* all(lockSql.sessionOfArchive, id)
  },
}

export function locksOf(verb: keyof WriteVerbs, input: unknown): Steps<unknown> | null {
  return locks[verb]?.(input) ?? null
}
