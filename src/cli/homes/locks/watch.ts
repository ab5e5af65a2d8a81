import { Option } from 'commander'
import { formatDuration } from '../../../model/units.ts'
import type { Home } from '../../../openclaw/home/home.ts'
import { changesOf, type LockChange } from '../../../openclaw/locks/follow.ts'
import type { NamedLock } from '../../../openclaw/survey/locks.ts'
import { command, durationArgument } from '../../options.ts'
import { exitCodes } from '../../outside.ts'
import { visibleLine } from '../../print/visible.ts'
import { count, moment } from '../../print/words.ts'
import type { Terminal } from '../../terminal.ts'
import { failedNote, findEach } from '../each.ts'
import { addHomeOptions, type HomeOptions } from '../options.ts'
import { lockJson, subjectOf, verdictOf } from './lines.ts'
import { lookAtLocksOf, tellUnreadable } from './look.ts'

interface WatchOptions extends HomeOptions {
  docker?: true
  every: number
}

export function locksWatch(terminal: Terminal) {
  return addHomeOptions(
    command('watch', 'Follow locks as they are taken, linger and are released, until Ctrl-C', [
      'holdfast locks watch',
      'holdfast locks watch --every 200ms --json',
    ])
      .addOption(new Option('--every <duration>', 'between two looks').argParser(durationArgument).default(1_000, '1s'))
      .option('--docker', 'look into what containers have mounted'),
  ).action(async (options: WatchOptions) => {
    const { homes, failed } = await findEach(options, terminal)
    for (const each of failed) terminal.note(failedNote(each))
    if (failed.length > 0) terminal.exitCode = exitCodes.failed
    if (homes.length === 0) return
    const stop = new AbortController()
    const forget = terminal.outside.onSignal(['SIGINT', 'SIGTERM'], () => stop.abort())
    try {
      if (options.json !== true)
        await terminal.print(`Watching the locks of ${count(homes.length, 'home')}; Ctrl-C ends.`)
      await follow(homes, options, stop.signal, terminal)
    } finally {
      forget()
    }
  })
}

async function follow(
  homes: readonly Home[],
  options: WatchOptions,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<void> {
  const before = new Map<string, NamedLock[]>()
  while (!signal.aborted) {
    for (const home of homes) {
      const seen = await lookAtLocksOf(home, false, terminal)
      const { locks } = seen
      if (!before.has(home.dir)) tellUnreadable(seen, terminal)
      for (const change of changesOf(before.get(home.dir) ?? [], locks)) await tell(home, change, options, terminal)
      before.set(home.dir, locks)
    }
    try {
      await terminal.outside.clock.sleep(options.every, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

async function tell(
  { dir }: Home,
  change: LockChange<NamedLock>,
  options: WatchOptions,
  terminal: Terminal,
): Promise<void> {
  const { kind, lock } = change
  const atMs = terminal.outside.clock.nowMs()
  if (options.json === true)
    return await terminal.print(JSON.stringify({ atMs, dir, event: kind, lock: lockJson(lock) }))
  await terminal.print(`${moment(atMs)}  ${kind.padEnd(8)}  ${subjectOf(lock)}  ${visibleLine(aboutOf(change))}`)
}

function aboutOf({ kind, lock }: LockChange<NamedLock>): string {
  const { ageMs, operation, proof } = lock
  const doing = operation === null ? '' : `, ${operation}`
  switch (kind) {
    case 'released':
      return `after about ${formatDuration(ageMs)}`
    case 'lingers':
      return `for ${formatDuration(ageMs)}${doing}`
    case 'held':
    case 'judged':
      return `${verdictOf(lock)}, for ${formatDuration(ageMs)}${doing}: ${proof}`
  }
}
