/** A home of the file generation, made for a test. Ages are before `nowMs`. */
export interface HomePlan {
  /** Unit: ms. Default: the time of the machine. */
  nowMs?: number
  seed?: number
  /** `openclaw.json`, as an object or as text; null: there is none. */
  config?: object | string | null
  /** Of the release that wrote it last. */
  version?: string
  agents: AgentPlan[]
}

export interface AgentPlan {
  id: string
  sessions?: SessionPlan[]
  leftovers?: LeftoverPlan[]
  locks?: LockPlan[]
  /** Text of `sessions.json` in place of the one that is made; null: there is none. */
  index?: string | null
}

export interface SessionPlan {
  key: string
  /** Since it was last used. Unit: ms. Default: an hour. */
  ageMs?: number
  /** Questions with their answers. Default: 1. */
  turns?: number
  /** The transcript has at least so many bytes. */
  bytes?: number
  /** `running` ends with a question that has no answer. Default: `done`. */
  status?: 'done' | 'running' | 'failed' | 'killed' | 'timeout' | null
  /** More fields of its entry, or others in their place. */
  entry?: Record<string, unknown>
  /** false: its entry points to no file. */
  transcript?: boolean
  /** false: no entry names it. */
  bound?: boolean
  /** In the name of its file, as threads and topics have. */
  topic?: string
  /** Each answer is stored twice, as 2026.5.18 does. */
  doubled?: boolean
  /** Bytes of the two fields that make an index heavy: `skillsSnapshot`, the same in all, and `systemPromptReport`. Default: 0. */
  snapshotBytes?: number
  reportBytes?: number
}

export interface LeftoverPlan {
  kind:
    | 'deleted'
    | 'reset'
    | 'backup'
    | 'checkpoint'
    | 'trajectory'
    | 'index-temporary'
    | 'temporary'
    | 'corrupt'
    | 'index-backup'
    | 'prompt'
    | 'side'
  ageMs: number
  /** Default: a transcript of one turn, or something as long. */
  bytes?: number
}

export interface LockPlan {
  /** Of this session's transcript, or `index`. */
  of: string
  pid: number
  ageMs: number
  startTicks?: number
  maxHoldMs?: number
  /** Its text, in place of a payload. */
  text?: string
}

export interface BuiltSession {
  key: string
  agentId: string
  sessionId: string
  /** Absolute, whether there or not. */
  path: string
  plan: SessionPlan
}

export interface BuiltHome {
  dir: string
  nowMs: number
  sessions: BuiltSession[]
  /** Absolute, in the order of the plan. */
  leftovers: string[]
  locks: string[]
  sessionsDir(agentId: string): string
  session(key: string): BuiltSession
}
