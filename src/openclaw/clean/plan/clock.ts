import { formatDuration } from '../../../model/units.ts'
import type { HomeFacts } from '../../survey/facts.ts'
import { pathOf } from '../steps.ts'

/** Clocks of a machine and of a file server differ by less. Unit: ms. */
const skewMs = 10 * 60_000

/**
 * Why ages cannot be told from this clock; null: they can. A clock that was set back, or a machine that has started without one, shows by files
 * from the future.
 */
export function clockSuspicion({ agents, nowMs }: HomeFacts): string | null {
  let latest: { path: string; mtimeMs: number } | null = null
  for (const agent of agents) {
    for (const { name, mtimeMs } of agent.files) {
      if (mtimeMs > (latest?.mtimeMs ?? nowMs + skewMs)) latest = { path: pathOf(agent, name), mtimeMs }
    }
  }
  if (latest === null) return null
  return `${latest.path} was written ${formatDuration(latest.mtimeMs - nowMs)} after now: the clock is not trusted, so nothing is done that depends on age`
}
