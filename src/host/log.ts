import { type DestinationStream, pino } from 'pino'

/** Lines for people and for log collectors. `facts` hold ids, sizes and codes; what people wrote only at debug. */
export interface Log {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
  /**
   * Of a log on standard error: the least level that is written. Then the thread that watches writes its lines there itself,
   * also while the event loop stands still.
   */
  readonly level?: string
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Level numbers in the lines, as pino has them. */
export const levelNumbers = { debug: 20, info: 30, warn: 40, error: 50, silent: Number.POSITIVE_INFINITY } as const

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Facts in which somebody else's words may quote what people wrote: content filters repeat the prompt. */
const quoting = ['providerMessage', 'facts.providerMessage', 'outcome.facts.providerMessage']

/** One JSON object a line, to standard output unless `to` says otherwise. */
export function jsonLog(level: LogLevel, to?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: quoting, remove: true },
  }
  return to === undefined ? pino(options) : pino(options, to)
}
