import type { SessionKey, SessionKind } from './keys.ts'

/** `archives`: kept until the archives' own limits. `trash`: kept until it expires. Also the names of the two folders. */
export const archivePlaces = ['archives', 'trash'] as const
export type ArchivePlace = (typeof archivePlaces)[number]

/** A transcript that was taken out of the database: one zstd frame of a bundle. */
export interface ArchivedTranscript {
  id: number
  sessionKey: SessionKey
  kind: SessionKind
  /** Its number within the session. */
  transcript: number
  /** It was the current one: the session went with it. */
  whole: boolean
  place: ArchivePlace
  /** The folder in `place`, named after the sweep that took it out. */
  sweep: string
  /** The bundle in that folder. */
  file: string
  /** Its frame in the bundle, in bytes. */
  offset: number
  length: number
  /** Of its records before compression, in bytes, and their SHA-256. */
  bytes: number
  sha256: string
  entries: number
  /** Of its first and last entry; when it began, where it has none. */
  firstAtMs: number
  lastAtMs: number
  takenAtMs: number
  /** When it is deleted for good; null in `archives`. */
  expiresAtMs: number | null
}

export type NewArchivedTranscript = Omit<ArchivedTranscript, 'id'>
