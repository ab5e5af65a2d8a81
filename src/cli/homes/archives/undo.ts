import { command } from '../../options.ts'
import type { Terminal } from '../../terminal.ts'
import { addArchiveOptions, type HomeOptions } from '../options.ts'
import { meantRun, runArgument } from './meant.ts'
import { takeBack } from './undone.ts'

export function undo(terminal: Terminal) {
  return addArchiveOptions(
    command('undo', 'Take back what a command did to a home, to the byte', [
      'holdfast undo ~/.openclaw/holdfast/archives/20261121T040000Z-clean-1a2b3c4d/manifest.jsonl',
      'holdfast undo 20261121T040000Z-clean-1a2b3c4d --dry-run',
    ]).argument('<manifest>', runArgument),
    true,
  ).action(async (manifest: string, options: HomeOptions) => {
    await takeBack(await meantRun(manifest, options, terminal), null, options, terminal)
  })
}
