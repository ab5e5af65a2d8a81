import { readContext, readEntries } from './reads/entries.ts'
import { exportTranscripts } from './reads/exports.ts'
import { dueJobs, listJobs, readJob } from './reads/jobs.ts'
import type { Place } from './reads/place.ts'
import { inspectSession, listQuarantined, listStarts, listUnsent } from './reads/recovery.ts'
import { listArchived, readRetention } from './reads/retention.ts'
import { listSessions, listSummaries, readSession } from './reads/sessions.ts'
import { statistics } from './reads/statistics.ts'
import { listLeases, listTurns, readTurn, readTurnStates } from './reads/turns.ts'
import { listWaits, readLanes, readQueue } from './reads/waits.ts'
import type { Steps } from './steps.ts'

export const readVerbs = {
  readSession,
  listSessions,
  listSummaries,
  readEntries,
  readContext,
  readTurn,
  readTurnStates,
  listTurns,
  listLeases,
  readJob,
  listJobs,
  dueJobs,
  listWaits,
  readLanes,
  readQueue,
  listStarts,
  listUnsent,
  listQuarantined,
  inspectSession,
  statistics,
  readRetention,
  exportTranscripts,
  listArchived,
}

export type ReadVerbs = typeof readVerbs
export type ReadVerb = (input: unknown, place: Place) => Steps<unknown>
