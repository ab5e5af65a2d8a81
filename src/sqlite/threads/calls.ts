export type Role = 'writer' | 'reader' | 'keeper'

/** What a thread is started with. */
export interface ThreadData {
  role: Role
  path: string
  /** Beside another owner: nothing may be written, nothing is checkpointed. */
  readOnly: boolean
  /** Take file systems as trusted that are refused otherwise. */
  trustFilesystem: boolean
  durability: 'full' | 'unsafe-for-tests'
  /** Free bytes on the disk below which the store grows no more. */
  diskReserveBytes: number
  atMs: number
  /** Numbers that writer and keeper share, at the places named in `log`. */
  log: SharedArrayBuffer
}

/** Places in {@link ThreadData.log}. */
export const log = {
  /** Commits so far, counted by the writer: tells the keeper when to look. */
  commits: 0,
  /** 1 when the keeper cannot catch up with the writer and asks it to pause for a checkpoint. */
  catchUp: 1,
  /** 1 while the disk is short of room: the log's own room is then given back. */
  short: 2,
  /** 1 while a reader keeps the log from being brought in, and it is long. */
  pinned: 3,
} as const

export const logBytes = 4 * Int32Array.BYTES_PER_ELEMENT
