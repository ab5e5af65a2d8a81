import type { Identity, Standing } from '../files/identity.ts'
import type { GatewayFacts } from '../gateway/running.ts'
import type { Home } from '../home/home.ts'
import type { FileKind } from '../home/names.ts'
import type { IndexFacts } from '../index/facts.ts'
import type { JudgedLock } from '../locks/verdict.ts'
import type { DamageKind, TranscriptFacts } from '../transcripts/facts.ts'

/** What stands in a sessions directory under one name. */
export interface FileFacts {
  name: string
  kind: FileKind
  /** What its name says; null where it says none. */
  sessionId: string | null
  bytes: number
  mtimeMs: number
  identity: Identity
  uid: number
  /** Permission bits, `0o644`. */
  mode: number
  links: number
}

/** Something in a sessions directory that is no file of ours to read: a link, a directory, a pipe. */
export interface OddFile {
  name: string
  what: Exclude<Standing, 'file'>
}

export interface AgentFacts {
  id: string
  sessionsDir: string
  /** `absent` where the agent has no sessions directory. */
  state: 'read' | 'absent' | { unreadable: string }
  files: FileFacts[]
  odd: OddFile[]
  index: IndexFacts
  locks: JudgedLock[]
  /** Read through only when asked for (`doctor`, `repair`); by file name. */
  transcripts: ReadonlyMap<string, SurveyedTranscript>
}

/** One kind of damage of a transcript. */
export interface DamageCount {
  kind: DamageKind
  lines: number
  /** null where it is not among the first faults that were written down. */
  firstLine: number | null
}

/** What is kept of a transcript that was read through: the same for one of a gigabyte and one of a line. */
export type SurveyedTranscript =
  | ({ state: 'read'; damage: DamageCount[] } & Omit<TranscriptFacts, 'damage' | 'counts'>)
  | { state: 'unreadable'; because: string }

export interface DiskFacts {
  /** For this user: what is reserved for root does not count. */
  freeBytes: number
  totalBytes: number
  /** `ext4`, `tmpfs`, `nfs`, or a number where its name is not known. */
  filesystem: string
  /** Its locks or renames cannot be relied on. */
  untrusted: boolean
}

/** All that findings and plans are made from. Collecting it changes nothing on disk. `Around` has what only the doctor looks at. */
export interface HomeFacts {
  home: Home
  nowMs: number
  gateway: GatewayFacts
  agents: AgentFacts[]
  disk: DiskFacts | { unreadable: string }
}
