/** The library: an engine on a store, with a runner of your own. */

export type { EventLog, LoggedEvent } from './engine/event-log.ts'
export type { GatewayEvent, TurnEvent } from './engine/events.ts'
export { Holdfast, type HoldfastOptions, openHoldfast } from './engine/holdfast.ts'
export type { JobInput, Jobs } from './engine/jobs.ts'
export {
  type AnswerDelta,
  type Deliver,
  DeliveryRefused,
  type Runner,
  type RunningTurn,
  type RunResult,
  type Summarizer,
  type SummaryJob,
} from './engine/runner.ts'
export { defaultSettings, type EngineSettings, type PartialSettings } from './engine/settings.ts'
export type { CompactionOutcome, Telemetry } from './engine/telemetry.ts'
export type { Submission, SubmitInput } from './engine/turns/ask.ts'
export type { RecoveryReport, RecoveryState } from './engine/upkeep/recover.ts'
export type { RetentionState, SweepEvent, SweepOptions, SweepReport } from './engine/upkeep/retain/report.ts'
export type { LanesReport } from './engine/watch/lanes.ts'
export type { WhyReport } from './engine/why.ts'
export type { Clock } from './host/clock.ts'
export { jsonLog, type Log, type LogLevel } from './host/log.ts'
export type { Entry, EntryKind, EventBody } from './model/entries.ts'
export {
  type ErrorCode,
  type ErrorFacts,
  type ErrorRecord,
  errorCatalog,
  HoldfastError,
  isHoldfastError,
} from './model/errors.ts'
export type { Delivery, DeliveryStatus, Holder, Lease } from './model/holders.ts'
export type { Job, JobSpec, Missed, MissedPolicy } from './model/jobs.ts'
export { parseSessionKey, type SessionKey, type SessionKind } from './model/keys.ts'
export type { LaneName, LaneRule, LaneRules } from './model/lanes.ts'
export { type Message, textOf } from './model/messages.ts'
export type { Session, Summary } from './model/sessions.ts'
export type { BusyPolicy, Turn, TurnRequest, TurnStatus, Usage, WaitCause } from './model/turns.ts'
export { type SqliteOptions, sqliteStore } from './sqlite/open.ts'
export type { StartedJob } from './store/jobs.ts'
export type { OpenStore, Store } from './store/port.ts'
export type { ResetResult } from './store/sessions.ts'
export type { TurnDetail } from './store/turns.ts'
