import { InvalidArgumentError } from 'commander'
import { isHoldfastError } from '../../../model/errors.ts'
import { formatSize, parseDuration, parseSize } from '../../../model/units.ts'
import { expireArchives } from '../../../openclaw/changes/archives/expire.ts'
import { confirm } from '../../confirm.ts'
import { command } from '../../options.ts'
import { exitCodes } from '../../outside.ts'
import { visibleLine } from '../../print/visible.ts'
import { count } from '../../print/words.ts'
import type { Terminal } from '../../terminal.ts'
import { within } from '../doctor-lines.ts'
import { failedNote, findEach, forEach } from '../each.ts'
import { addArchiveOptions, type HomeOptions } from '../options.ts'

interface ExpireOptions extends HomeOptions {
  olderThan?: number
  bytes?: number
  yes?: true
}

export function archiveExpire(terminal: Terminal) {
  return addArchiveOptions(
    command('expire', 'Delete archives for good: errands and leftovers by age, more only for a limit of bytes', [
      'holdfast archive expire --dry-run',
      'holdfast archive expire --older-than 30d --home /srv/bot/.openclaw',
    ])
      .option(
        '--older-than <duration>',
        'what is older goes (default: as the home says, else 90d)',
        unit(parseDuration),
      )
      .option(
        '--bytes <size>',
        'most that the archives of a home may take; what people said goes last',
        unit(parseSize),
      )
      .option('--yes', 'do not ask'),
    true,
  ).action(async (options: ExpireOptions) => {
    const dryRun = options.dryRun === true
    if (!dryRun && options.yes !== true) await confirm('Delete expired archives? There is no way back.', terminal)
    const { homes, failed } = await findEach(options, terminal)
    const done = await forEach(homes, failed, async (home) => {
      const archiveMs = options.olderThan ?? home.policy.archiveMs
      const archiveBytesMax = options.bytes ?? home.policy.archiveBytesMax
      const how = { clock: terminal.outside.clock, dryRun }
      return { dir: home.dir, steps: await expireArchives(home, { archiveMs, archiveBytesMax }, how) }
    })
    if (failed.length > 0) terminal.exitCode = exitCodes.failed
    if (options.json === true) {
      const mode = dryRun ? 'dry-run' : 'expire'
      const errors = failed.map(({ dir, error }) => ({ dir, mode, steps: [], error }))
      return await terminal.printJson({ homes: [...done.map(({ dir, steps }) => ({ dir, mode, steps })), ...errors] })
    }
    for (const { dir, steps } of done) {
      const bytes = formatSize(steps.reduce((sum, step) => sum + step.bytes, 0))
      const what = `${count(steps.length, 'archive')} ${dryRun ? 'would be deleted' : 'deleted'} for good (${bytes})`
      await terminal.print(
        terminal.paint('bold', visibleLine(dir)),
        `  ${steps.length === 0 ? 'Nothing has expired.' : what}`,
      )
      for (const { path, because } of steps)
        await terminal.print(`    ${visibleLine(`${within(dir, path)}: ${because}`)}`)
    }
    for (const each of failed) terminal.note(failedNote(each))
  })
}

function unit(parse: (text: string) => number): (text: string) => number {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      if (!isHoldfastError(error, 'CONFIG_INVALID')) throw error
      throw new InvalidArgumentError(`${error.facts.because}.`)
    }
  }
}
