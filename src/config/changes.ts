import type { Config } from './read.ts'

export interface ReloadPlan {
  /** What holds afterwards. */
  config: Config
  /** Keys that hold at once. */
  applied: string[]
  /** Keys that differ from what runs, and hold from the next start on. */
  needsRestart: string[]
}

/** What becomes of a configuration that was read again while a gateway runs on `running`. */
export function planReload(running: Config, found: Config): ReloadPlan {
  const { turns, lanes, sessions, cron, recovery, retention, watch, compaction, shutdown } = found
  const { contextWindow, answerTokens } = found.model
  const config: Config = {
    ...running,
    ...{ turns, lanes, sessions, cron, recovery, retention, watch, shutdown },
    model: { ...running.model, contextWindow, answerTokens },
    compaction: { ...compaction, model: running.compaction.model },
  }
  return { config, applied: changesOf(running, config), needsRestart: changesOf(config, found) }
}

/** Keys such as `lanes.cron.concurrency` whose values differ; a list is one value. */
function changesOf(before: unknown, after: unknown, path: readonly string[] = []): string[] {
  if (!isSection(before) || !isSection(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [path.join('.')]
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys]
    .filter((key) => key !== '$schema' && key !== 'homes') // for editors, and for other commands
    .flatMap((key) => changesOf(before[key], after[key], [...path, key]))
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
