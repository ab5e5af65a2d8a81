import { command, wholeNumber } from '../../options.ts'
import type { Terminal } from '../../terminal.ts'
import { addArchiveOptions, type HomeOptions } from '../options.ts'
import { meantRun, runArgument } from './meant.ts'
import { takeBack } from './undone.ts'

export function archiveRestore(terminal: Terminal) {
  return addArchiveOptions(
    command('restore', 'Put single files back to where they were; `holdfast undo` takes back all of a run', [
      'holdfast archive restore 20261121T040000Z-clean-1a2b3c4d 17',
    ])
      .argument('<run>', runArgument)
      .argument('<number>', 'of the step, as `archive show` lists it', wholeNumber)
      .argument('[more...]', 'numbers of more steps', (text, before: number[] | undefined) => [
        ...(before ?? []),
        wholeNumber(text),
      ]),
    true,
  ).action(async (run: string, number: number, more: number[], options: HomeOptions) => {
    await takeBack(await meantRun(run, options, terminal), new Set([number, ...more]), options, terminal)
  })
}
