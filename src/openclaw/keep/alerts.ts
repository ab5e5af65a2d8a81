/** Something that a person should know of. Told once as long as it lasts, and once when it is over. */
export interface Cause {
  /** Codes of findings and steps: `LOCK_OVERDUE`, `INDEX_UNREADABLE`, `CLEAN_FAILED`. */
  code: string
  home: string
  /** What it is about, so that two locks are two causes: a path, or empty. */
  subject: string
  /** One line, without anything that people wrote. */
  text: string
}

export interface Alert extends Cause {
  state: 'raised' | 'over'
  sinceMs: number
}

/** Causes that were told and still last, by what they are. */
export type Raised = ReadonlyMap<string, Cause & { sinceMs: number }>

/** More at once are told as one: whoever reads a hundred messages reads none. */
const alertsMax = 10
/** What is remembered; a home cannot have more causes than this told apart. */
const raisedMax = 10_000

/**
 * What is to be told when a task found these causes. `scope` says which earlier causes the task would have found again if they
 * lasted (its own home and codes), so that another task's are not called over.
 */
export function planAlerts(
  raised: Raised,
  found: readonly Cause[],
  scope: (cause: Cause) => boolean,
  nowMs: number,
): { raised: Raised; alerts: Alert[] } {
  const next = new Map(raised)
  const alerts: Alert[] = []
  const still = new Set<string>()
  for (const cause of found) {
    const name = nameOf(cause)
    still.add(name)
    if (next.has(name) || next.size >= raisedMax) continue
    next.set(name, { ...cause, sinceMs: nowMs })
    alerts.push({ ...cause, state: 'raised', sinceMs: nowMs })
  }
  for (const [name, cause] of raised) {
    if (still.has(name) || !scope(cause)) continue
    next.delete(name)
    alerts.push({ ...cause, state: 'over' })
  }
  return { raised: next, alerts: bounded(alerts) }
}

/** The first of each code, and how many more there are. */
function bounded(alerts: Alert[]): Alert[] {
  if (alerts.length <= alertsMax) return alerts
  const groups = Map.groupBy(alerts, ({ code, state, home }) => `${code} ${state} ${home}`)
  return [...groups.values()].map((group) => {
    const [first] = group as [Alert, ...Alert[]]
    return group.length === 1 ? first : { ...first, subject: '', text: `${first.text} (and ${group.length - 1} more)` }
  })
}

function nameOf({ code, home, subject }: Cause): string {
  return JSON.stringify([code, home, subject])
}
