import { formatDuration } from '../../../model/units.ts'
import { shellWord } from '../../../openclaw/doctor/finding.ts'
import type { Home } from '../../../openclaw/home/home.ts'
import { clearable } from '../../../openclaw/locks/clear.ts'
import type { SurveyedLocks } from '../../../openclaw/survey/locks.ts'
import { command } from '../../options.ts'
import { exitCodes } from '../../outside.ts'
import { visibleLine } from '../../print/visible.ts'
import { count } from '../../print/words.ts'
import type { Terminal } from '../../terminal.ts'
import { gatewayLine } from '../doctor-lines.ts'
import { type Failed, failedNote, findEach, forEach } from '../each.ts'
import { addHomeOptions, type HomeOptions } from '../options.ts'
import { alike, inOrder, kindOfLock, lockJson, moreOf, overdueRows, subjectOf, verdictOf } from './lines.ts'
import { lookAtLocksOf, tellUnreadable } from './look.ts'

export function locksList(terminal: Terminal) {
  return addHomeOptions(
    command('list', 'Locks of all sessions: who has them, for how long, doing what, and what proves it', [
      'holdfast locks',
      'holdfast locks --home /srv/bot/.openclaw --json',
    ]).option('--docker', 'look into what containers have mounted'),
  ).action(async (options: HomeOptions & { docker?: true }) => {
    const { homes, failed } = await findEach(options, terminal)
    const looked = await forEach(homes, failed, async (home) => {
      const seen = await lookAtLocksOf(home, true, terminal)
      tellUnreadable(seen, terminal)
      return { home, seen }
    })
    if (failed.length > 0) terminal.exitCode = exitCodes.failed
    if (options.json === true)
      return await terminal.printJson({ homes: [...looked.map(homeJson), ...failed.map(failedJson)] })
    for (const [at, { home, seen }] of looked.entries()) {
      if (at > 0) await terminal.print('')
      await printHome(home, seen, terminal)
    }
    for (const each of failed) terminal.note(failedNote(each))
  })
}

function homeJson({ home, seen }: { home: Home; seen: SurveyedLocks }): object {
  const { gateway, locks, unreadable } = seen
  return { dir: home.dir, gateway, locks: inOrder(locks).map(lockJson), unreadable }
}

function failedJson({ dir, error }: Failed): object {
  return { dir, gateway: null, locks: [], unreadable: [], error }
}

async function printHome({ dir }: Home, { gateway, locks }: SurveyedLocks, terminal: Terminal): Promise<void> {
  await printHeading(dir, gateway, terminal)
  if (locks.length === 0) return await terminal.print('  No session is locked.')
  const ordered = inOrder(locks)
  await terminal.print('')
  await terminal.printTable(alike(ordered, kindOfLock), [
    {
      title: 'SESSION',
      text: (each) => `${subjectOf(each.first)}${moreOf(each)}`,
      shrinks: true,
    },
    { title: 'AGENT', text: ({ first }) => first.agent },
    { title: 'HELD', text: ({ first }) => formatDuration(first.ageMs), align: 'right' },
    { title: 'PID', text: ({ first }) => String(first.pid ?? '-'), align: 'right' },
    { title: 'VERDICT', text: ({ first }) => verdictOf(first) },
    { title: 'DOING', text: ({ first }) => first.operation ?? '-' },
    { title: 'PROOF', text: ({ first }) => visibleLine(first.proof), shrinks: true },
  ])
  for (const lock of ordered.filter(({ overdue }) => overdue)) {
    await terminal.print('', `${subjectOf(lock)} is held for longer than it should be:`)
    for (const [name, value] of overdueRows(lock, dir))
      await terminal.print(`  ${terminal.paint('dim', name.padEnd(6))}  ${visibleLine(value)}`)
  }
  const stale = locks.filter((lock) => clearable(lock) !== null).length
  if (stale > 0)
    await terminal.print('', `${count(stale, 'lock')} can be cleared: holdfast locks clear --home ${shellWord(dir)}`)
}

async function printHeading(dir: string, gateway: SurveyedLocks['gateway'], terminal: Terminal): Promise<void> {
  await terminal.print(terminal.paint('bold', visibleLine(dir)))
  await terminal.print(
    `  ${terminal.paint('dim', 'gateway')} ${visibleLine(gatewayLine({ gateway, lookedAtMs: terminal.outside.clock.nowMs() }))}`,
  )
}
