import { formatDuration } from '../../../model/units.ts'
import type { StepReport } from '../../../openclaw/changes/run.ts'
import { clearLocks } from '../../../openclaw/clean/locks.ts'
import { shellWord } from '../../../openclaw/doctor/finding.ts'
import type { Home } from '../../../openclaw/home/home.ts'
import { blocks, clearable } from '../../../openclaw/locks/clear.ts'
import type { NamedLock } from '../../../openclaw/survey/locks.ts'
import { command } from '../../options.ts'
import { exitCodes } from '../../outside.ts'
import { visibleLine } from '../../print/visible.ts'
import { count } from '../../print/words.ts'
import type { Terminal } from '../../terminal.ts'
import { type Failed, failedNote, findEach, forEach } from '../each.ts'
import { addHomeOptions, type HomeOptions } from '../options.ts'
import { printSteps } from '../steps.ts'
import { inOrder, lockJson, overdueRows, subjectOf, verdictOf } from './lines.ts'
import { lookAtLocksOf, tellUnreadable } from './look.ts'

interface Cleared {
  dir: string
  mode: 'dry-run' | 'enforce'
  steps: StepReport[]
  manifest: string | null
  /** Stay: a holder lives, or nothing is proven. */
  locks: NamedLock[]
}

export function locksClear(terminal: Terminal) {
  return addHomeOptions(
    command('clear', 'Take away locks whose holder is proven to have ended, and no others', [
      'holdfast locks clear --dry-run',
      'holdfast locks clear --home /srv/bot/.openclaw',
    ]).option('--docker', 'look into what containers have mounted'),
  ).action(async (options: HomeOptions & { docker?: true }) => {
    const { homes, failed } = await findEach(options, terminal)
    const done = await forEach(homes, failed, (home) => clearHome(home, options.dryRun === true, terminal))
    if (failed.length > 0 || done.some(isLeft)) terminal.exitCode = exitCodes.failed
    if (options.json === true)
      return await terminal.printJson({ homes: [...done.map(homeJson), ...failed.map(failedJson)] })
    for (const [at, home] of done.entries()) {
      if (at > 0) await terminal.print('')
      await printHome(home, terminal)
    }
    for (const each of failed) terminal.note(failedNote(each))
  })
}

async function clearHome(home: Home, isDry: boolean, terminal: Terminal): Promise<Cleared> {
  const { dir } = home
  const seen = await lookAtLocksOf(home, false, terminal)
  tellUnreadable(seen, terminal)
  const ordered = inOrder(seen.locks)
  const locks = ordered.filter((lock) => clearable(lock) === null)
  const cleared = await clearLocks(home, ordered, { command: 'locks', dryRun: isDry }, terminal.outside.clock)
  return { dir, mode: isDry ? 'dry-run' : 'enforce', ...cleared, locks }
}

/** Something still keeps messages waiting. */
function isLeft({ locks, steps }: Cleared): boolean {
  return locks.some(blocks) || steps.some(({ left }) => left !== null)
}

function homeJson(home: Cleared): object {
  return { ...home, locks: home.locks.map(lockJson) }
}

function failedJson({ dir, error }: Failed): object {
  return { dir, mode: null, steps: [], manifest: null, locks: [], error }
}

async function printHome({ dir, mode, steps, manifest, locks }: Cleared, terminal: Terminal): Promise<void> {
  await terminal.print(terminal.paint('bold', visibleLine(dir)))
  await printSteps(dir, steps, mode === 'enforce', terminal)
  for (const lock of locks) await terminal.print('', ...stayingLines(lock, dir))
  if (steps.length === 0) return await terminal.print('', '  No lock is proven to be stale.')
  if (mode === 'dry-run') {
    const next = `holdfast locks clear --home ${shellWord(dir)}`
    return await terminal.print('', `  Nothing was changed. Clear ${count(steps.length, 'lock')} with: ${next}`)
  }
  if (manifest !== null) await terminal.print('', `  Undo with: holdfast undo ${shellWord(manifest)}`)
}

function stayingLines(lock: NamedLock, dir: string): string[] {
  const { ageMs, proof, overdue } = lock
  const what = `${verdictOf(lock)}, for ${formatDuration(ageMs)}: ${proof}`
  const rows = overdue ? overdueRows(lock, dir) : []
  return [
    `  ${subjectOf(lock)} stays locked: ${visibleLine(what)}`,
    ...rows.map(([name, value]) => `    ${name.padEnd(6)}  ${visibleLine(value)}`),
  ]
}
