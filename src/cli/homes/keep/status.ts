import { formatDuration, formatSize } from '../../../model/units.ts'
import { keeperTasks } from '../../../openclaw/keep/due.ts'
import { type KeeperNote, readNote } from '../../../openclaw/keep/note.ts'
import type { KeeperStatus } from '../../../openclaw/keep/status.ts'
import { exitCodes } from '../../outside.ts'
import { moment } from '../../print/words.ts'
import type { Terminal } from '../../terminal.ts'
import { homesFor } from '../ground.ts'
import type { HomeOptions } from '../options.ts'

/** A keeper on this machine answers at once, or stands still. Unit: ms. */
const answerMs = 3_000

/** What the keeper of each home says of itself; where none answers, what it left. Exit code 1 when a home has none. */
export async function printStatus(options: HomeOptions, terminal: Terminal): Promise<void> {
  const homes = await homesFor(options, terminal)
  const found = await Promise.all(
    homes.map(async ({ dir }) => {
      const note = await readNote(dir)
      return { home: dir, note, keeper: note?.url == null ? null : await ask(note.url, dir) }
    }),
  )
  if (found.some(({ keeper }) => keeper === null)) terminal.exitCode = exitCodes.failed
  if (options.json === true) return await terminal.printJson({ homes: found })
  for (const { home, note, keeper } of found) {
    await terminal.print(terminal.paint('bold', home), ...(keeper === null ? ended(note) : lines(keeper, home)))
  }
}

async function ask(url: string, home: string): Promise<KeeperStatus | null> {
  try {
    const response = await fetch(`${url}/status`, { signal: AbortSignal.timeout(answerMs) })
    if (!response.ok) return null
    const status = (await response.json()) as KeeperStatus
    return status.homes.some((each) => each.home === home) ? status : null // another keeper may have the port now
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError || error instanceof DOMException) return null
    throw error
  }
}

function ended(note: KeeperNote | null): string[] {
  if (note === null) return ['  No keeper looks after it. Start one with `holdfast keep`, or `holdfast install`.']
  const last = Math.max(0, ...Object.values(note.runs).map(({ endedAtMs }) => endedAtMs))
  return [`  No keeper answers.${last === 0 ? '' : ` The last one looked ${moment(last)}.`}`]
}

function lines({ pid, sinceMs, homes, raised }: KeeperStatus, dir: string): string[] {
  const home = homes.find((each) => each.home === dir)
  if (home === undefined) return []
  const done = Object.entries(home.stepsDone).map(([kind, count]) => `${count} ${kind}`)
  const tasks = keeperTasks.map((task) => {
    const { runs, failures, lastStartedAtMs, lastMs } = home.tasks[task]
    const last =
      lastStartedAtMs === null ? 'not yet' : `last ${moment(lastStartedAtMs)}, ${formatDuration(lastMs ?? 0)}`
    return `  ${task.padEnd(9)} ${runs} runs, ${failures} failed; ${last}`
  })
  const causes = raised.filter((cause) => cause.home === dir).map(({ code, text }) => `  ${code}: ${text}`)
  return [
    `  kept by process ${pid} since ${moment(sinceMs)}`,
    ...tasks,
    `  done      ${done.length === 0 ? 'nothing had to be' : `${done.join(', ')} (${formatSize(home.bytes)})`}`,
    ...(home.left === 0 ? [] : [`  left      ${home.left} steps, for when the gateway is down`]),
    ...causes,
  ]
}
