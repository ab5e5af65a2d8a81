import { formatSize } from '../../../model/units.ts'
import { type ArchivedRun, type Listed, listArchives } from '../../../openclaw/changes/archives/archives.ts'
import { command } from '../../options.ts'
import { exitCodes } from '../../outside.ts'
import { visibleLine } from '../../print/visible.ts'
import { count, moment } from '../../print/words.ts'
import type { Terminal } from '../../terminal.ts'
import { failedNote, findEach, forEach } from '../each.ts'
import { addArchiveOptions, type HomeOptions } from '../options.ts'

export function archiveList(terminal: Terminal) {
  return addArchiveOptions(
    command('list', 'Runs of commands on homes and what is kept of each, the newest first', [
      'holdfast archive list',
      'holdfast archive list --home /srv/bot/.openclaw --json',
    ]),
    false,
  ).action(async (options: HomeOptions) => {
    const { homes, failed } = await findEach(options, terminal)
    const done = await forEach(homes, failed, async (home) => {
      return { dir: home.dir, runs: (await listArchives(home.dir)).reverse() }
    })
    const isWhole = failed.length === 0 && done.every(({ runs }) => runs.every(({ state }) => state !== 'unreadable'))
    if (!isWhole) terminal.exitCode = exitCodes.failed
    if (options.json === true) {
      const errors = failed.map(({ dir, error }) => ({ dir, runs: [], error }))
      return await terminal.printJson({ homes: [...done, ...errors] })
    }
    for (const [at, { dir, runs }] of done.entries()) {
      if (at > 0) await terminal.print('')
      await printHome(dir, runs, terminal)
    }
    for (const each of failed) terminal.note(failedNote(each))
  })
}

async function printHome(dir: string, runs: readonly Listed[], terminal: Terminal): Promise<void> {
  await terminal.print(terminal.paint('bold', visibleLine(dir)))
  if (runs.length === 0) return await terminal.print('  Nothing is archived.')
  const whole = runs.filter((run): run is ArchivedRun => run.state !== 'unreadable')
  if (whole.length > 0)
    await terminal.printTable(whole, [
      { title: 'RUN', text: ({ run }) => run },
      { title: 'WHEN', text: ({ atMs }) => moment(atMs) },
      { title: 'STATE', text: stateText },
      { title: 'STEPS', text: ({ steps }) => String(steps), align: 'right' },
      { title: 'FILES KEPT', text: ({ files }) => String(files), align: 'right' },
      { title: 'THEIR SIZE', text: ({ bytes }) => formatSize(bytes), align: 'right' },
      { title: 'ON DISK', text: ({ packedBytes }) => formatSize(packedBytes), align: 'right' },
    ])
  for (const run of runs)
    if (run.state === 'unreadable') terminal.note(`holdfast: ${visibleLine(`${run.run}: ${run.because}`)}`)
  const unfinished = whole.filter(({ state }) => state === 'unfinished')
  if (unfinished.length > 0)
    terminal.note(
      `${count(unfinished.length, 'run')} ended half-way: the next command that changes the home settles it.`,
    )
}

function stateText({ state, steps, undone }: ArchivedRun): string {
  return state === 'partly undone' ? `${undone} of ${steps} undone` : state
}
