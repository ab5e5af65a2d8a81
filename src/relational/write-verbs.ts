import type { Steps } from './steps.ts'
import { admitTurn } from './verbs/admit.ts'
import { dropArchived, enterArchived, moveArchived, noteClock } from './verbs/archived.ts'
import { claimTurn } from './verbs/claim.ts'
import { claimDelivery, markUnknownDeliveries, settleDelivery } from './verbs/deliveries.ts'
import { appendEntries } from './verbs/entries.ts'
import { addEvent } from './verbs/events.ts'
import { moveJob, putJob, removeJob, startJob, switchJob } from './verbs/jobs.ts'
import { expireLapsed, expireLeases, recordProgress } from './verbs/leases.ts'
import { purge } from './verbs/purge.ts'
import { putBack } from './verbs/put-back.ts'
import { releaseTurn } from './verbs/release.ts'
import { repairSession } from './verbs/repair.ts'
import { archiveSession, openSession, patchSession, resetSession } from './verbs/sessions.ts'
import { settleTurn } from './verbs/settle.ts'
import { recordEnd, recordStart } from './verbs/starts.ts'
import { commitSummary, undoSummary } from './verbs/summaries.ts'
import { deleteSession, takeOut } from './verbs/take-out.ts'
import { cancelTurn, quarantineTurn, requeueTurn, revokeTurn } from './verbs/turns.ts'
import { probe, recordVerify } from './verbs/upkeep.ts'
import type { Work } from './verbs/work.ts'

export const writeVerbs = {
  openSession,
  patchSession,
  resetSession,
  archiveSession,
  appendEntries,
  admitTurn,
  claimTurn,
  recordProgress,
  settleTurn,
  requeueTurn,
  cancelTurn,
  revokeTurn,
  quarantineTurn,
  expireLeases,
  expireLapsed,
  recordStart,
  recordEnd,
  repairSession,
  releaseTurn,
  commitSummary,
  undoSummary,
  claimDelivery,
  settleDelivery,
  markUnknownDeliveries,
  putJob,
  removeJob,
  switchJob,
  moveJob,
  startJob,
  probe,
  recordVerify,
  takeOut,
  purge,
  putBack,
  enterArchived,
  moveArchived,
  dropArchived,
  deleteSession,
  addEvent,
  noteClock,
}

export type WriteVerbs = typeof writeVerbs
export type WriteVerb = (work: Work, input: unknown) => Steps<unknown>
