import type { RunCommand } from '../../host/commands.ts'
import { HoldfastError } from '../../model/errors.ts'
import { formatCount, formatSize } from '../../model/units.ts'
import type { StepReport } from '../changes/run.ts'
import { jsonIn, lastWords } from '../gateway/answer.ts'
import { askOpenClaw, type OpenClaw } from '../gateway/command.ts'

/** A large database takes its time. Unit: ms. */
const timeLimitMs = 10 * 60_000

/**
 * Lets a home of the SQLite generation be cleaned by its own command, `openclaw sessions cleanup --enforce`, under its own rules: nothing else
 * may write there. What it says becomes one step for each agent and each thing that it did. @throws HoldfastError OPENCLAW_FAILED
 */
export async function cleanDatabases(
  openclaw: OpenClaw,
  agents: readonly string[],
  run: RunCommand,
): Promise<StepReport[]> {
  const steps: StepReport[] = []
  for (const chosen of agents.length === 0 ? [['--all-agents']] : agents.map((id) => ['--agent', id])) {
    const args = ['sessions', 'cleanup', '--enforce', ...chosen, '--json']
    const result = await askOpenClaw(openclaw, args, timeLimitMs, run)
    const told = jsonIn(result.stdout)
    if (result.code !== 0 || !isRecord(told))
      throw new HoldfastError('OPENCLAW_FAILED', { because: `\`openclaw ${args.join(' ')}\`: ${lastWords(result)}` })
    const stores = Array.isArray(told.stores) ? told.stores : [told]
    steps.push(...stores.filter(isRecord).flatMap(stepsOf))
  }
  return steps
}

/** What would be asked for, where nothing is to be done. */
export function wouldCleanDatabases(agents: readonly { id: string; databasePath: string | null }[]): StepReport[] {
  return agents.flatMap(({ databasePath }): StepReport[] => {
    if (databasePath === null) return []
    const because = 'its gateway keeps sessions in a database; `openclaw sessions cleanup --enforce` bounds it'
    return [{ ...plain, path: databasePath, because }]
  })
}

const plain = { kind: 'drop-entry', key: null, bytes: 0, done: false, left: null } as const

/** What each count of the answer is called among people. Source: `sessions cleanup --json` of openclaw 2026.9.6. */
const counts: readonly [string, StepReport['kind'], string][] = [
  ['missing', 'drop-entry', 'without a transcript'],
  ['dmScopeRetired', 'drop-entry', 'of an earlier scope of direct chats'],
  ['modelRunPruned', 'drop-entry', 'of single runs of a model'],
  ['archived', 'archive-transcript', 'past the age of the home, archived by the gateway'],
  ['capArchived', 'archive-transcript', 'over the cap of the home, archived by the gateway'],
  ['pruned', 'drop-entry', 'past the age of the home'],
  ['capped', 'drop-entry', 'over the cap of the home'],
]

function stepsOf(store: Record<string, unknown>): StepReport[] {
  const path = String(store.storePath ?? '')
  const done = store.applied === true
  const steps: StepReport[] = counts.flatMap(([name, kind, what]): StepReport[] => {
    const amount = numberIn(store[name])
    return amount === 0 ? [] : [{ ...plain, kind, path, because: `${formatCount(amount, 'session')} ${what}`, done }]
  })
  for (const part of ['unreferencedArtifacts', 'diskBudget']) {
    const found = store[part]
    if (!isRecord(found) || numberIn(found.removedFiles) === 0) continue
    const bytes = numberIn(found.freedBytes)
    const because = `${formatCount(numberIn(found.removedFiles), 'file')} (${formatSize(bytes)}) removed by the gateway`
    steps.push({ ...plain, kind: 'archive-leftover', path, because, bytes, done })
  }
  return steps
}

function numberIn(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
