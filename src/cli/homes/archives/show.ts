import { once } from 'node:events'
import { formatSize } from '../../../model/units.ts'
import { type ArchivedStep, readCopy, showRun } from '../../../openclaw/changes/archives/archives.ts'
import { command, wholeNumber } from '../../options.ts'
import { visibleLine } from '../../print/visible.ts'
import { count, moment } from '../../print/words.ts'
import type { Terminal } from '../../terminal.ts'
import { within } from '../doctor-lines.ts'
import { addArchiveOptions, type HomeOptions } from '../options.ts'
import { meantRun, runArgument } from './meant.ts'

export function archiveShow(terminal: Terminal) {
  return addArchiveOptions(
    command('show', 'The steps of a run; with a number, what that file was before', [
      'holdfast archive show 20261121T040000Z-clean-1a2b3c4d',
      'holdfast archive show 20261121T040000Z-clean-1a2b3c4d 17 > before.jsonl',
    ])
      .argument('<run>', runArgument)
      .argument('[number]', 'of a step: its file is written to stdout as it was', wholeNumber),
    false,
  ).action(async (text: string, number: number | undefined, options: HomeOptions) => {
    const { home, run } = await meantRun(text, options, terminal)
    if (number !== undefined) return await writeCopy(home.dir, run, number, terminal)
    const { detail, ...summary } = await showRun(home.dir, run)
    if (options.json === true) return await terminal.printJson({ dir: home.dir, ...summary, detail })
    const { command: name, atMs, state, manifest } = summary
    await terminal.print(
      terminal.paint('bold', visibleLine(home.dir)),
      `  ${visibleLine(`holdfast ${name} of ${moment(atMs)}, ${state}`)}`,
      `  ${visibleLine(manifest)}`,
      '',
    )
    if (detail.length === 0) return await terminal.print('  It has no steps.')
    await printSteps(home.dir, detail, terminal)
    const kept = detail.filter((step) => step.kept).length
    terminal.note(
      `${count(kept, 'file')} of ${count(detail.length, 'step')} can be shown and put back by their numbers.`,
    )
  })
}

async function printSteps(dir: string, steps: readonly ArchivedStep[], terminal: Terminal): Promise<void> {
  await terminal.printTable(steps, [
    { title: 'STEP', text: ({ step }) => String(step), align: 'right' },
    { title: 'WHAT', text: ({ kind }) => kind },
    { title: 'STATE', text: ({ state, kept }) => (state === 'done' && kept ? 'kept' : state) },
    { title: 'SIZE', text: ({ bytes }) => formatSize(bytes), align: 'right' },
    { title: 'PATH', text: ({ path }) => visibleLine(within(dir, path)), shrinks: true },
    {
      title: 'BECAUSE',
      text: ({ because, key }) => visibleLine(key === null ? because : `${key}: ${because}`),
      shrinks: true,
    },
  ])
}

/** Bytes as they are, also when nobody on a terminal could read them. */
async function writeCopy(dir: string, run: string, step: number, terminal: Terminal): Promise<void> {
  const { stdout } = terminal.outside
  for await (const part of readCopy(dir, run, step)) if (!stdout.write(part)) await once(stdout, 'drain')
}
