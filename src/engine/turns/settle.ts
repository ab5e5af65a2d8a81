import { nextMeterRatio, ratioAfterTooLong } from '../../compaction/meter.ts'
import { type ErrorRecord, isHoldfastError, recordOf } from '../../model/errors.ts'
import type { SettledStatus, Turn } from '../../model/turns.ts'
import type { SettleInput } from '../../store/turns.ts'
import { type Ground, persist } from '../ground.ts'
import { entriesOf, failureEntry, type Reply } from './reply.ts'
import type { TurnRun } from './run.ts'
import { type Ending, planEnding } from './verdict.ts'

/** The head can only be behind by writes of this very attempt whose result was unknown; more tries would not help. */
const headTriesMax = 3

/**
 * Makes the end of a run durable, however long the disk takes: until then the outcome is kept here and the turn is
 * running. Null when there is nothing to settle: somebody else did, or it is left to become `interrupted`.
 */
export async function settleRun(ground: Ground, run: TurnRun, ending: Ending): Promise<Turn | null> {
  const verdict = planEnding(run.cutBy, ending)
  switch (verdict.kind) {
    case 'done':
      return settleOnce(ground, run, doneInput(ground, run, verdict.reply))
    case 'settle':
      if (ending.kind === 'threw') logFailure(ground, run, ending.error, verdict.outcome)
      return settleOnce(ground, run, failedInput(ground, run, verdict.status, verdict.outcome))
    case 'revoke':
      run.fenced(verdict.outcome.message)
      return revoke(ground, run, verdict.status, verdict.outcome)
    case 'leave':
      return null
    case 'drop':
      if (ending.kind === 'ignored') run.fenced(verdict.because)
      return null
  }
}

/** A reply that the store cannot take for another reason than the disk ends the turn as failed, without it. */
async function settleOnce(ground: Ground, run: TurnRun, input: SettleInput): Promise<Turn | null> {
  try {
    return await settle(ground, run, input)
  } catch (error) {
    if (isHoldfastError(error, 'STORE_CLOSED') || givenUp(ground, error)) return null
    if (isHoldfastError(error, 'FENCED')) {
      run.refused()
      return null
    }
    const outcome = recordOf(error)
    ground.watch.trouble('settle', error)
    ground.log.error({ turnId: input.turnId, code: outcome.code, ...outcome.facts }, 'a turn could not be settled')
    return revoke(ground, run, 'failed', outcome)
  }
}

async function settle(ground: Ground, run: TurnRun, input: SettleInput): Promise<Turn> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await persist(ground, 'settle', () => {
        ground.lookout.moved(input.turnId, 'is being stored') // it waits for the disk, and is not stuck
        return ground.store.settleTurn(input)
      })
    } catch (error) {
      if (!isHoldfastError(error, 'HEAD_MOVED') || tries === headTriesMax) throw error
      const session = await ground.store.readSession(input.key)
      input = { ...input, head: session?.head ?? run.head }
    }
  }
}

/** The fence grows first, so that nothing which the runner does later counts. */
async function revoke(
  ground: Ground,
  run: TurnRun,
  status: Exclude<SettledStatus, 'done'>,
  outcome: ErrorRecord,
): Promise<Turn | null> {
  const input = { turnId: run.claim.turn.id, status, outcome, atMs: ground.clock.nowMs() } // a repeat is found by its time
  try {
    return await persist(ground, 'revoke', () => ground.store.revokeTurn(input))
  } catch (error) {
    if (isHoldfastError(error, 'TURN_SETTLED') || givenUp(ground, error)) return null
    throw error
  }
}

/** At shutdown with a full disk: the turn becomes `interrupted`, nothing of it was acknowledged. */
function givenUp(ground: Ground, error: unknown): boolean {
  return ground.over.aborted && (isHoldfastError(error, 'STORE_FULL') || isHoldfastError(error, 'STORE_IO'))
}

function doneInput(ground: Ground, run: TurnRun, reply: Reply): SettleInput {
  const { turn, session } = run.claim
  const { usage } = reply
  return {
    ...baseInput(ground, run),
    status: 'done',
    entries: entriesOf(turn.id, turn.attempts, run.entriesWritten, reply.messages),
    outcome: null,
    finishReason: reply.finishReason,
    usage,
    meterRatio: usage === null ? null : nextMeterRatio(session.meterRatio, run.contextTokens, usage.promptTokens),
  }
}

function failedInput(
  ground: Ground,
  run: TurnRun,
  status: Exclude<SettledStatus, 'done'>,
  outcome: ErrorRecord,
): SettleInput {
  const { turn } = run.claim
  return {
    ...baseInput(ground, run),
    status,
    entries: [failureEntry(turn.id, turn.attempts, run.entriesWritten, outcome)],
    outcome,
    finishReason: null,
    usage: null,
    meterRatio: outcome.facts.contextTooLong === true ? ratioAfterTooLong(run.claim.session.meterRatio) : null,
  }
}

function baseInput(ground: Ground, run: TurnRun): Pick<SettleInput, 'key' | 'turnId' | 'fence' | 'head' | 'atMs'> {
  const { turn, fence } = run.claim
  return { key: turn.sessionKey, turnId: turn.id, fence, head: run.head, atMs: ground.clock.nowMs() }
}

function logFailure(ground: Ground, run: TurnRun, error: unknown, outcome: ErrorRecord): void {
  const { id: turnId, sessionKey } = run.claim.turn
  ground.log.warn({ turnId, sessionKey, code: outcome.code, ...outcome.facts }, 'a turn failed')
  if (outcome.code === 'RUNNER_FAILED') ground.log.debug({ turnId, error }, 'what the runner threw')
}
