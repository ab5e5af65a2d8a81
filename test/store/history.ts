import type { Entry } from '../../src/model/entries.ts'
import type { SessionKey } from '../../src/model/keys.ts'

/** What a holder tried in one session, and how it ended. In the order of the answers. */
export type Event =
  | { kind: 'claimed'; key: SessionKey; turnId: string; fence: number }
  | { kind: 'wrote'; key: SessionKey; turnId: string; fence: number; entryIds: string[] }
  | { kind: 'refused'; key: SessionKey; turnId: string; fence: number; entryIds: string[] }
  /** The session's fence, read at that time. */
  | { kind: 'seen'; key: SessionKey; fence: number }

/**
 * Do the transcripts of a session, one after the other, tell a story in which each holder wrote only while the session was
 * its own? Their order is total, so this takes one pass. Gives what is wrong; one line each.
 */
export function faultsIn(key: SessionKey, events: readonly Event[], transcript: readonly Entry[]): string[] {
  const mine = events.filter((event) => event.key === key)
  const fences = new Map<string, number>()
  for (const event of mine) {
    if (event.kind === 'wrote') for (const id of event.entryIds) fences.set(id, event.fence)
  }
  const found = [...fallsIn(mine), ...twiceClaimed(mine), ...lostOrWritten(mine, transcript)]
  let highest = { fence: 0, id: '' }
  for (const { id, turnId } of transcript) {
    const fence = fences.get(id)
    if (fence === undefined) continue
    if (fence < highest.fence)
      found.push(`entry ${id} of fence ${fence} stands after ${highest.id} of ${highest.fence}`)
    else highest = { fence, id }
    const owner = mine.find((event) => event.kind === 'claimed' && event.fence === fence)
    if (owner?.kind === 'claimed' && owner.turnId !== turnId)
      found.push(`entry ${id} is not of the turn that held ${fence}`)
  }
  return found
}

/** The effects of two turns must not be mixed: those of one stand together. */
export function mixedTurnsIn(transcript: readonly Entry[]): string[] {
  const ended = new Set<string>()
  const found: string[] = []
  let current: string | null = null
  for (const { turnId, attempt, seq } of transcript) {
    const run = turnId === null ? null : `${turnId}/${attempt}`
    if (run === current) continue
    if (run !== null && ended.has(run)) found.push(`entry ${seq} comes after its turn ${run} was over`)
    if (current !== null) ended.add(current)
    current = run
  }
  return found
}

function fallsIn(events: readonly Event[]): string[] {
  let highest = 0
  return events.flatMap((event) => {
    if (event.kind !== 'seen' && event.kind !== 'claimed') return []
    if (event.fence < highest) return [`the fence fell from ${highest} to ${event.fence}`]
    highest = event.fence
    return []
  })
}

function twiceClaimed(events: readonly Event[]): string[] {
  const claimed = events.flatMap((event) => (event.kind === 'claimed' ? [event.fence] : []))
  return claimed
    .filter((fence, index) => claimed.indexOf(fence) !== index)
    .map((fence) => `fence ${fence} was given twice`)
}

function lostOrWritten(events: readonly Event[], transcript: readonly Entry[]): string[] {
  const there = transcript.map(({ id }) => id)
  const faults: string[] = transcript.flatMap(({ seq }, index) => {
    const follows = seq === 1 || seq === (transcript[index - 1]?.seq ?? 0) + 1
    return follows ? [] : [`entry ${seq} follows a gap`]
  })

  for (const event of events) {
    if (event.kind !== 'wrote' && event.kind !== 'refused') continue
    const expected = event.kind === 'wrote' ? 1 : 0
    for (const id of event.entryIds) {
      const count = there.filter((each) => each === id).length
      if (count !== expected) faults.push(`entry ${id}, which was ${event.kind}, stands ${count} times`)
    }
  }
  return faults
}
