import { gatewayDuration, gatewaySize } from './config/quantities.ts'

/** What may stay and how long. A flag of the command line wins over the home's own `openclaw.json`, and that over what is set here. */
export interface HomePolicy {
  /** `off`: nothing is done; `warn`: steps are shown and none is done; `enforce`. */
  mode: 'off' | 'warn' | 'enforce'
  /** A session that nobody used for this long is archived with its transcript. Unit: ms. */
  transcriptIdleMs: number
  /** An index entry without a transcript, or one that cannot be resumed, goes after this long. Unit: ms. */
  bindingIdleMs: number
  /** Most entries of one agent's index. */
  entriesMax: number
  /** A cron run's session goes after this long; null: never. Unit: ms. */
  cronRunMs: number | null
  /** An index over this many bytes is copied beside itself (`sessions.json.bak.<ms>`) and written anew without what repeats. */
  indexRotateBytes: number
  indexBackupsKept: number
  /** `.deleted.`, `.bak`, `.corrupt`, checkpoints and trajectories go to the archive after this long. Unit: ms. */
  leftoverMs: number
  /** `.reset.`: what stood in a session before it began anew; null: it stays. Unit: ms. */
  resetMs: number | null
  /** Temporary files go after this long. Unit: ms. */
  temporaryMs: number
  /** Archives of errands and leftovers are deleted after this long; null: never. What people said is kept. Unit: ms. */
  archiveMs: number | null
  /** All archives together; the oldest errands go first, what people said last and only when a person set this. null: no bound. */
  archiveBytesMax: number | null
  /** All files of one agent's sessions directory; null: no bound. Above `max` the oldest go until `low` is reached. Unit: bytes. */
  diskBudget: { maxBytes: number; lowBytes: number } | null
  /** What was touched within this time is left alone. Unit: ms. */
  recentMs: number
  /** How many sessions of one agent a start may resume. */
  resumesMax: number
  /** Only what was interrupted within this time is resumed. Unit: ms. */
  resumeAgeMs: number
  /** Where each came from, for people: `openclaw.json`, `--idle`, `holdfast.json5`; what is not named is the default. */
  sources: Partial<Record<Rule, string>>
}

type Rule = Exclude<keyof HomePolicy, 'sources'>

const minuteMs = 60_000
const dayMs = 86_400_000

export const defaultHomePolicy: HomePolicy = {
  mode: 'warn',
  transcriptIdleMs: 5 * dayMs,
  bindingIdleMs: 30 * dayMs,
  entriesMax: 500,
  cronRunMs: dayMs,
  indexRotateBytes: 10 * 1024 ** 2,
  indexBackupsKept: 3,
  leftoverMs: dayMs,
  resetMs: dayMs,
  temporaryMs: 5 * minuteMs,
  archiveMs: 90 * dayMs,
  archiveBytesMax: null,
  diskBudget: null,
  recentMs: 10 * minuteMs,
  resumesMax: 5,
  resumeAgeMs: dayMs,
  sources: {},
}

/** The parts of `openclaw.json` that bound a home, as the gateway reads them; values are not checked yet. */
export interface HomeRules {
  maintenance: Readonly<Record<string, unknown>>
  cronSessionRetention: unknown
}

/** What a person has set with flags, or in a configuration of ours; `sources` says where. */
export type PolicyOverrides = Partial<HomePolicy>

export interface PolicyFound {
  policy: HomePolicy
  /** Rules in `openclaw.json` that are not understood, one line each. As long as there is one nothing goes beyond `warn`. */
  problems: string[]
}

/** In `sources`: what a person wants is not known, so that nothing goes. */
export const unfollowed = 'openclaw.json cannot be followed'

/** Above the low mark nothing more goes; a gateway's own share of the budget. */
const lowShare = 0.8

/**
 * `rules` is null where `openclaw.json` is there and cannot be read: what a person has said there is not known, so nothing goes
 * beyond `warn`, whatever flags say. A person's `pruneAfter` holds for idle sessions and for bindings alike.
 */
export function policyOf(
  rules: HomeRules | null,
  overrides: PolicyOverrides = {},
  defaults: HomePolicy = defaultHomePolicy,
): PolicyFound {
  const { set, problems } = rules === null ? { set: {}, problems: [] } : rulesOf(rules)
  const told = withSources(set, 'openclaw.json')
  const policy = {
    ...defaults,
    ...told,
    ...overrides,
    sources: { ...defaults.sources, ...told.sources, ...withSources(overrides, 'the command line').sources },
  }
  if (rules !== null && problems.length === 0) return { policy, problems }
  const mode = policy.mode === 'off' ? 'off' : 'warn'
  return {
    policy: { ...policy, mode, sources: { ...policy.sources, mode: unfollowed } },
    problems,
  }
}

function withSources(set: PolicyOverrides, source: string): PolicyOverrides & Pick<HomePolicy, 'sources'> {
  const names = Object.keys(set).filter((name) => name !== 'sources')
  return { ...set, sources: { ...Object.fromEntries(names.map((name) => [name, source])), ...set.sources } }
}

const age = 'a duration above 0 such as "30d"'
const amount = 'a size above 0 such as "10mb"'

function rulesOf({ maintenance, cronSessionRetention }: HomeRules): { set: PolicyOverrides; problems: string[] } {
  const problems: string[] = []
  /** Undefined where nothing is set, or nothing that can be followed. */
  const read = <T>(name: string, value: unknown, as: (value: unknown) => T | null, allowed: string): T | undefined => {
    if (value === undefined || value === null) return undefined
    const found = as(value)
    if (found !== null) return found
    problems.push(`${name}: found ${shown(value)}, allowed is ${allowed}`)
    return undefined
  }
  const own = <T>(name: string, as: (value: unknown) => T | null, allowed: string): T | undefined => {
    const value = Object.hasOwn(maintenance, name) ? maintenance[name] : undefined
    return read(`session.maintenance.${name}`, value, as, allowed)
  }
  const prune = own('pruneAfter', positiveDuration, age) ?? own('pruneDays', positiveDuration, age)
  const retention = read(
    'cron.sessionRetention',
    cronSessionRetention,
    orFalse(hours),
    'a duration such as "24h", or false',
  )
  const maxBytes = own('maxDiskBytes', orFalse(positiveSize), `${amount}, or false`)
  const lowBytes = own('highWaterBytes', positiveSize, amount)
  const reset = own('resetArchiveRetention', orFalse(positiveDuration), `${age}, or false`)
  const set = {
    mode: own('mode', modeOf, '"warn" or "enforce"'),
    transcriptIdleMs: prune,
    bindingIdleMs: prune,
    entriesMax: own('maxEntries', positiveCount, 'a whole number above 0'),
    indexRotateBytes: own('rotateBytes', positiveSize, amount),
    resetMs: reset === false ? null : reset,
    cronRunMs: retention === false || retention === 0 ? null : retention,
    diskBudget: maxBytes === undefined || maxBytes === false ? noneIf(maxBytes) : budgetOf(maxBytes, lowBytes),
  }
  return { set: present(set), problems }
}

const noneIf = (value: false | undefined): null | undefined => (value === false ? null : undefined)

function budgetOf(maxBytes: number, lowBytes = Math.floor(maxBytes * lowShare)): NonNullable<HomePolicy['diskBudget']> {
  return { maxBytes, lowBytes: Math.min(lowBytes, maxBytes) }
}

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>
}

const aboveZero = (amount: number | null) => (amount !== null && amount > 0 ? amount : null)
const positiveDuration = (value: unknown) => aboveZero(gatewayDuration(value, 'd'))
const positiveSize = (value: unknown) => aboveZero(gatewaySize(value))
const positiveCount = (value: unknown) => (Number.isSafeInteger(value) ? aboveZero(value as number) : null)
const hours = (value: unknown) => gatewayDuration(value, 'h')
const modeOf = (value: unknown): 'warn' | 'enforce' | null => (value === 'warn' || value === 'enforce' ? value : null)
const orFalse =
  <T>(read: (value: unknown) => T | null) =>
  (value: unknown): T | false | null =>
    value === false ? false : read(value)

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
