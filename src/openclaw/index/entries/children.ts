import { isRecord, parsedJson } from '../text/json.ts'

/** A child that nobody has heard of for this long is waited for by nobody: a run may last 48 h, a delivery is retried for hours. Unit: ms. */
const forgottenMs = 7 * 24 * 3_600_000

/**
 * Keys of sessions that wait for a child or are one, from a home's `subagents/runs.json`: `{ runs: { <id>: { childSessionKey,
 * requesterSessionKey, createdAt, startedAt?, endedAt?, cleanupCompletedAt? } } }`. A gateway is through with a child when its
 * cleanup is complete. Null where the text is no such file.
 */
export function waitingKeys(text: string, nowMs: number): Set<string> | null {
  const file = parsedJson(text)
  if (!isRecord(file) || !isRecord(file.runs)) return null
  const keys = new Set<string>()
  for (const run of Object.values(file.runs)) {
    if (!isRecord(run) || typeof run.cleanupCompletedAt === 'number') continue
    const times = [run.createdAt, run.startedAt, run.endedAt].filter((time) => typeof time === 'number')
    if (times.length > 0 && nowMs - Math.max(...times) > forgottenMs) continue
    for (const key of [run.childSessionKey, run.requesterSessionKey]) if (typeof key === 'string') keys.add(key.trim())
  }
  return keys
}
