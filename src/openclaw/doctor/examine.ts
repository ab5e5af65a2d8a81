import { severities } from './codes/meaning.ts'
import type { Finding, Seen } from './finding.ts'
import { findDatabases } from './findings/databases.ts'
import { findEntries } from './findings/entries.ts'
import { findIndexes } from './findings/indexes.ts'
import { findLeftovers } from './findings/leftovers.ts'
import { findLocks } from './findings/locks.ts'
import { findPlace } from './findings/place.ts'
import { findResumes } from './findings/resume.ts'
import { findSchedule } from './findings/schedule.ts'
import { findTranscripts } from './findings/transcripts.ts'

const rooms: readonly ((seen: Seen) => Finding[])[] = [
  findLocks,
  findIndexes,
  findEntries,
  findResumes,
  findTranscripts,
  findDatabases,
  findLeftovers,
  findPlace,
  findSchedule,
]

/** Everything that is to be said of a home, the worst first. */
export function examine(seen: Seen): Finding[] {
  const found = rooms.flatMap((find) => find(seen))
  return severities.flatMap((severity) => found.filter((finding) => finding.severity === severity))
}
