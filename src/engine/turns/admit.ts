import { canReset, planReset } from '../../cron/reset.ts'
import { timedId } from '../../host/random.ts'
import { HoldfastError } from '../../model/errors.ts'
import { kindOf, type SessionKey } from '../../model/keys.ts'
import type { Session } from '../../model/sessions.ts'
import type { AdmitInput, AdmitReset, AdmitResult } from '../../store/turns.ts'
import type { Ground } from '../ground.ts'
import { roomTokens } from '../settings.ts'
import { type Ask, readAsk, type SubmitInput } from './ask.ts'

/** A session's correction of the meter is at most this; below it the session need not be read to know that there is room. */
const meterRatioMax = 4

/** Durable when it resolves; nothing is written when it rejects with any code but STORE_IO. @throws HoldfastError */
export async function admit(ground: Ground, input: SubmitInput): Promise<AdmitResult> {
  const { requestTokens, replaced, ...ask } = readAsk(input)
  if (replaced > 0) ground.telemetry.surrogatesReplaced(replaced)
  const messageTokens = ask.tokens.reduce((sum, each) => sum + each, 0)
  await checkRoom(ground, ask.key, requestTokens + messageTokens)
  const atMs = ground.clock.nowMs()
  const reset = await resetBefore(ground, ask.key, atMs)
  const result = await ground.store.admitTurn({ ...admissionOf(ground, ask, requestTokens, atMs), reset })
  if (!result.repeated) {
    const { sessionKey, id: turnId } = result.turn
    const { begunTranscript: transcript } = result
    if (transcript !== null) ground.events.publish({ type: 'session.reset', sessionKey, transcript })
    ground.events.publish({ type: 'turn.admitted', sessionKey, turnId, coalesced: result.coalesced })
  }
  return result
}

/** What the store is asked for, with the limits of this engine. */
export function admissionOf(
  ground: Ground,
  ask: Omit<Ask, 'requestTokens' | 'replaced'>,
  requestTokens: number,
  atMs: number,
): AdmitInput {
  const { turns, context } = ground.settings
  const coalesceTokensMax = Math.max(0, Math.floor(roomTokens(context) / meterRatioMax) - requestTokens)
  const { coalesceMs, queuedMax } = turns
  return { ...ask, turnId: timedId(atMs), coalesceMs, coalesceTokensMax, queuedMax, atMs }
}

/** Why the next message would begin a new transcript; null when it goes on with this one. */
export function dueReset({ sessions }: Ground['settings'], session: Session, atMs: number): string | null {
  return sessions.resetKinds.includes(kindOf(session.key)) ? planReset(session, sessions.reset, atMs) : null
}

/** Where no rule is on, nothing is read. The store looks again, in the step that admits. */
async function resetBefore({ store, settings }: Ground, key: SessionKey, atMs: number): Promise<AdmitReset | null> {
  if (!canReset(settings.sessions.reset)) return null
  const session = await store.readSession(key)
  const reason = session === null ? null : dueReset(settings, session, atMs)
  return session === null || reason === null ? null : { transcript: session.transcript, reason }
}

/** History can be left out; what is new cannot. */
async function checkRoom(ground: Ground, key: AdmitInput['key'], tokens: number): Promise<void> {
  const room = roomTokens(ground.settings.context)
  if (tokens * meterRatioMax <= room) return
  const ratio = (await ground.store.readSession(key))?.meterRatio ?? 1
  const needed = Math.ceil(tokens * ratio)
  if (needed > room) throw new HoldfastError('CONTEXT_TOO_LARGE', { tokens: needed, roomTokens: room })
}
