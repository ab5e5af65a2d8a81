import type { SessionKey } from '../../../model/keys.ts'
import type { Session } from '../../../model/sessions.ts'
import type { Store } from '../../../store/port.ts'
import { openingId } from '../lines/records.ts'
import { type Found, readOpening } from '../openings.ts'
import type { SessionSource } from '../sources/source.ts'
import { isNothing, type Laid, originOf } from './laid.ts'

/** How a session stands in the store before something is done. */
export interface Standing {
  session: Session
  /** By incarnation; undefined where it is not there. */
  found: (Found | undefined)[]
  /** Numbers of those that were imported, and are not in the home any more. */
  gone: number[]
  /** Nothing of it was imported from this home: it is somebody else's. */
  isForeign: boolean
  /** Nobody has used it here since it was imported. */
  isUntouched: boolean
}

export async function standingOf(
  store: Store,
  key: SessionKey,
  source: SessionSource,
  laid: readonly Laid[],
): Promise<Standing | null> {
  const session = await store.readSession(key)
  if (session === null) return null
  const openings = new Map<string, Found>()
  let entries = 0
  for (let number = 1; number <= session.transcript; number += 1) {
    const found = await readOpening(store, key, number)
    const isOurs = found?.opening.agent === source.agent && found.opening.key === source.key
    if (isOurs) openings.set(found.id, found)
    if (number === session.transcript) entries = await lastImported(store, key, number)
  }
  const ids = laid.map((each) => openingId(originOf(source, each, false, 0), each.layout.firstLine))
  const found = ids.map((id) => openings.get(id))
  const gone = [...openings.values()].filter(({ id, opening }) => !ids.includes(id) && !isNothing(opening))
  const isIdle = session.turnsTotal === 0 && session.queuedTurns === 0 && !session.running
  return {
    ...{ session, found, gone: gone.map(({ number }) => number), isForeign: openings.size === 0 },
    isUntouched: isIdle && entries > 0 && session.head === entries,
  }
}

/** The position of the newest entry, when that was imported; 0 when it was not. */
async function lastImported(store: Store, key: SessionKey, transcript: number): Promise<number> {
  const { entries } = await store.readEntries({ key, transcript, order: 'newest', limit: 1 })
  const [last] = entries
  return last?.id.startsWith('openclaw:') === true ? last.seq : 0
}
