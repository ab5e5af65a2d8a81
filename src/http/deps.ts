import type { Holdfast } from '../engine/holdfast.ts'
import type { Clock } from '../host/clock.ts'
import type { Log } from '../host/log.ts'
import type { BusyPolicy } from '../model/turns.ts'
import type { AccessRules } from './access.ts'
import type { Models } from './chat/request.ts'
import type { Metrics } from './watch/metrics.ts'

/** What the HTTP API stands on. */
export interface AppDeps {
  holdfast: Holdfast
  metrics: Metrics
  models: Models
  access: AccessRules
  /** The longest request body, in bytes. */
  bodyMax: number
  /** When a request does not say what it wants of a busy session. Read at each request: it may change. */
  readonly onBusy: BusyPolicy
  clock: Clock
  log: Log
  version: string
  /** Reads the configuration again; null where no gateway runs. @throws HoldfastError CONFIG_INVALID: nothing has changed */
  reload: (() => Promise<Reloaded>) | null
}

/** What reading the configuration again has done, as keys of the file. */
export interface Reloaded {
  applied: string[]
  /** They differ from what runs, and hold from the next start on. */
  needsRestart: string[]
}
