import { kindOf, parseSessionKey, sessionKinds } from '../../src/model/keys.ts'
import { defaultRetentionPolicy, type KindPolicy, type RetentionPolicy } from '../../src/retention/policy.ts'
import type { KindFacts, RetentionFacts, SessionFacts } from '../../src/store/retention.ts'

export const dayMs = 86_400_000
export const nowMs = 1_800_000_000_000
export const limit = 100

export const unlimited: KindPolicy = {
  idleMaxMs: null,
  ageMaxMs: null,
  sessionsMax: null,
  entriesMax: null,
  bytesMax: null,
  earlierMaxMs: null,
  end: 'archive',
}

export function policyOf(kind: Partial<KindPolicy>, more: Partial<RetentionPolicy> = {}): RetentionPolicy {
  const kinds = Object.fromEntries(sessionKinds.map((name) => [name, { ...unlimited, ...kind }]))
  return { ...defaultRetentionPolicy, kinds: kinds as RetentionPolicy['kinds'], ...more }
}

/** Idle, and made, so many days ago. */
export function session(
  name: string,
  idleDays: number,
  more: Partial<SessionFacts> & { ageDays?: number } = {},
): SessionFacts {
  const key = parseSessionKey(name)
  const { ageDays = idleDays, ...rest } = more
  const createdAtMs = nowMs - ageDays * dayMs
  const activeAtMs = nowMs - idleDays * dayMs
  return { key, kind: kindOf(key), createdAtMs, activeAtMs, transcripts: [1], entries: 10, bytes: 1_000, ...rest }
}

/** What a store with these sessions says; `hidden` ones are protected or recently active. */
export function factsOf(
  sessions: readonly SessionFacts[],
  hidden = 0,
  more: Partial<RetentionFacts> = {},
): RetentionFacts {
  const kinds = sessionKinds.flatMap((kind): KindFacts[] => {
    const of = sessions.filter((each) => each.kind === kind)
    if (of.length === 0) return []
    const by = (read: (of: SessionFacts) => number) => [...of].sort((a, b) => read(a) - read(b)).slice(0, limit)
    const sum = (read: (of: SessionFacts) => number) => of.reduce((total, each) => total + read(each), 0)
    return [
      {
        kind,
        sessions: of.length + hidden,
        entries: sum(({ entries }) => entries),
        bytes: sum(({ bytes }) => bytes),
        idlest: by(({ activeAtMs }) => activeAtMs),
        eldest: by(({ createdAtMs }) => createdAtMs),
      },
    ]
  })
  const none = { count: 0, bytes: 0 }
  const bytes = { database: 0, free: 0, log: 0, diskFree: 0 }
  const clock = { newestMs: nowMs, notedMs: nowMs }
  return { kinds, earlier: [], archived: { archives: none, trash: none }, bytes, clock, ...more }
}
