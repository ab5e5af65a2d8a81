import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from './api.ts'

/** Asks again until the answer is yes; the bound only ends a broken run. */
export async function until(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
  withinMs = 30_000,
  everyMs = 15,
): Promise<void> {
  const end = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > end)
      throw new Error(`did not happen within ${withinMs} ms: ${typeof what === 'string' ? what : what()}`)
    await sleep(everyMs)
  }
}

/** Nothing runs, waits, or is to run again. */
export function untilSettled(api: Api, withinMs = 60_000): Promise<void> {
  // the ways that a turn goes, so that none slips through between two looks
  const unsettled = ['running', 'interrupted', 'queued', 'running']
  const isSettled = async () => {
    for (const status of unsettled) {
      const { items } = await api.get<{ items: unknown[] }>(`/v1/turns?status=${status}&limit=1`)
      if (items.length > 0) return false
    }
    return true
  }
  return until('every turn has ended', isSettled, withinMs)
}
