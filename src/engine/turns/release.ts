import { HoldfastError, isHoldfastError, recordOf } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { cutText } from '../../model/text.ts'
import type { Turn } from '../../model/turns.ts'
import type { Ground } from '../ground.ts'

/** Of the operator's reason, in UTF-16 units. */
const reasonLengthMax = 500

/**
 * Takes the session from the turn that runs in it, whoever runs it: that turn has failed, what its runner writes afterwards is refused, and the
 * queue goes on. Null when nothing runs there, or it has ended by itself meanwhile. @throws HoldfastError SESSION_NOT_FOUND
 */
export async function releaseSession({ store, clock }: Ground, key: SessionKey, reason: string): Promise<Turn | null> {
  const [session, leases] = await Promise.all([store.readSession(key), store.listLeases()])
  if (session === null) throw new HoldfastError('SESSION_NOT_FOUND', { sessionKey: key })
  const turnId = leases.find(({ sessionKey }) => sessionKey === key)?.turnId
  if (turnId === undefined) return null
  const atMs = clock.nowMs()
  const outcome = recordOf(new HoldfastError('TURN_RELEASED'))
  try {
    await store.cancelTurn({ turnId, reason: cutText(reason, reasonLengthMax), atMs }) // keeps the reason with the turn
    return await store.revokeTurn({ turnId, status: 'failed', outcome, atMs })
  } catch (error) {
    if (isHoldfastError(error, 'TURN_SETTLED')) return null
    throw error
  }
}
