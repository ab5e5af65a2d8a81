import { resolve } from 'node:path'
import { HoldfastError } from '../../model/errors.ts'
import { shellWord } from '../../openclaw/doctor/finding.ts'
import type { Home } from '../../openclaw/home/home.ts'
import { type Repaired, type RepairStep, repairHome } from '../../openclaw/repair/repair.ts'
import { command } from '../options.ts'
import { exitCodes } from '../outside.ts'
import { visibleLine } from '../print/visible.ts'
import { count } from '../print/words.ts'
import type { Terminal } from '../terminal.ts'
import { gatewayLine, within } from './doctor-lines.ts'
import { type Failed, failedNote, findEach, forEach } from './each.ts'
import { outsideFor } from './ground.ts'
import { addHomeOptions, type HomeOptions } from './options.ts'
import { Progress } from './progress.ts'
import { printSteps } from './steps.ts'

interface RepairOptions extends HomeOptions {
  docker?: true
  lines?: true
}

export function repair(terminal: Terminal) {
  return addHomeOptions(
    command('repair', 'Mend transcripts and indexes that a crash, a full disk or a second writer has damaged', [
      'holdfast repair --dry-run                   show what would be mended',
      'holdfast repair --home /srv/bot/.openclaw --lines',
      'holdfast repair agent:main:telegram:direct:42',
    ])
      .argument(
        '[id...]',
        'only these transcripts, by session id, session key, path or file name (default: all, and the indexes)',
      )
      .option('--docker', 'look into what containers have mounted')
      .option('--lines', 'tell what became of each line'),
  ).action(async (named: string[], options: RepairOptions) => {
    const { homes, failed } = await findEach(options, terminal)
    const done = await forEach(homes, failed, (home) => repairOne(home, named, options, terminal))
    const missing = named.filter((each) => !done.some(({ found }) => found.includes(nameOf(each, terminal))))
    if (missing.length > 0 && failed.length === 0) {
      const because = `no home has a transcript ${missing.map(visibleLine).join(', ')}`
      throw new HoldfastError('USAGE', { because })
    }
    if (failed.length > 0 || done.some(isLeft)) terminal.exitCode = exitCodes.failed
    if (options.json === true) {
      const homes = [...done.map((each) => jsonOf(each, options)), ...failed.map(failedJson)]
      return await terminal.printJson({ homes })
    }
    for (const [at, repaired] of done.entries()) {
      if (at > 0) await terminal.print('')
      await printHome(repaired, options, terminal)
    }
    for (const each of failed) terminal.note(failedNote(each))
  })
}

/** A path is taken from where the command was started; anything else is a name. */
function nameOf(named: string, terminal: Terminal): string {
  return named.includes('/') || named.includes('\\') ? resolve(terminal.outside.cwd, named) : named
}

async function repairOne(
  home: Home,
  named: readonly string[],
  options: RepairOptions,
  terminal: Terminal,
): Promise<Repaired> {
  const progress = new Progress(home.dir, 'transcripts', terminal)
  const how = { dryRun: options.dryRun === true, named: named.map((each) => nameOf(each, terminal)) }
  try {
    const told = (done: number, of: number) => progress.show(done, of)
    return await repairHome(home, how, { ...outsideFor(home, terminal), told })
  } finally {
    progress.clear()
  }
}

function isLeft({ steps }: Repaired): boolean {
  return steps.some(({ left }) => left !== null)
}

function jsonOf({ home, dryRun, steps, unmended, manifest, gateway }: Repaired, { lines }: RepairOptions): object {
  const mode = dryRun ? 'dry-run' : 'enforce'
  const told = steps.map((step) => {
    if (step.kind !== 'repair-transcript' || lines === true) return step
    const { lines: _, ...rest } = step
    return rest
  })
  return { dir: home.dir, mode, steps: told, manifest, unmended, gateway: gateway.state }
}

function failedJson({ dir, error }: Failed): object {
  return { dir, mode: null, steps: [], manifest: null, unmended: [], gateway: null, error }
}

async function printHome(repaired: Repaired, { lines }: RepairOptions, terminal: Terminal): Promise<void> {
  const { home, steps, unmended, dryRun, manifest } = repaired
  const dry = dryRun ? 'a dry run; ' : ''
  await terminal.print(
    terminal.paint('bold', visibleLine(home.dir)),
    `  ${visibleLine(`${dry}gateway ${gatewayLine(repaired)}`)}`,
  )
  await printSteps(home.dir, steps, !dryRun, terminal)
  for (const step of steps) await terminal.print(...detailsOf(step, home, lines === true).map(visibleIndented))
  if (unmended.length > 0) {
    const lines = unmended.map(({ path, because }) => `    ${within(home.dir, path)}: ${because}`)
    await terminal.print('', '  Left as found:', ...lines.map(visibleIndented))
  }
  await terminal.print('', `  ${endLine(repaired)}`)
  if (manifest !== null) await terminal.print(`  Undo with: holdfast undo ${shellWord(manifest)}`)
}

function endLine({ steps, dryRun }: Repaired): string {
  if (steps.length === 0) return 'Nothing is to be mended.'
  const ready = steps.filter(({ left }) => left === null)
  if (ready.length === 0) return 'Nothing was changed.'
  const read = ready.reduce(
    (sum, step) => sum + ('messages' in step ? step.messages.after - step.messages.before : 0),
    0,
  )
  const more = read > 0 ? `${count(read, 'more message', 'more messages')}` : ''
  if (!dryRun) return `Done: ${count(ready.length, 'step')}.${more === '' ? '' : ` A gateway can read ${more} now.`}`
  const then = more === '' ? '' : ` A gateway could read ${more} then.`
  return `Nothing was changed: leave --dry-run out to do it.${then}`
}

const unboundMax = 5

/** What a step holds beyond its line: what became of lines, and which transcripts have no session. */
function detailsOf(step: RepairStep, home: Home, isAsked: boolean): string[] {
  if (step.kind === 'rebuild-index') {
    if (step.unbound.length === 0) return []
    const some = step.unbound.slice(0, unboundMax).map(({ transcript, because }) => `    ${transcript}: ${because}`)
    const more = step.unbound.length - some.length
    const rest = more === 0 ? [] : [`    and ${count(more, 'more', 'more')}`]
    return [
      '',
      `  ${count(step.unbound.length, 'transcript')} without an entry in ${within(home.dir, step.path)}:`,
      ...some,
      ...rest,
    ]
  }
  if (!isAsked || step.lines.length === 0) return []
  const told = step.lines.map(({ line, outcome, because }) => `    line ${line || 'new'}: ${outcome}: ${because}`)
  const more = step.linesTold - step.lines.length
  const rest = more === 0 ? [] : [`    and ${count(more, 'more line')}`]
  const { before, after } = step.messages
  return ['', `  ${within(home.dir, step.path)} (${count(before, 'message')} before, ${after} after)`, ...told, ...rest]
}

function visibleIndented(line: string): string {
  return `${line.match(/^ */)?.[0]}${visibleLine(line)}`
}
