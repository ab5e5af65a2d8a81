import { formatSize } from '../../model/units.ts'
import type { StepKind, StepReport } from '../../openclaw/changes/run.ts'
import { visibleLine } from '../print/visible.ts'
import { count } from '../print/words.ts'
import type { Terminal } from '../terminal.ts'
import { within } from './doctor-lines.ts'

/** What becomes of things of one kind: before it is done, and after. */
const words: Record<StepKind, { noun: [string, string]; would: string; did: string }> = {
  'drop-entry': { noun: ['entry', 'entries'], would: 'would leave the index', did: 'left the index' },
  'archive-transcript': { noun: ['transcript', 'transcripts'], would: 'would be archived', did: 'archived' },
  'archive-leftover': { noun: ['leftover', 'leftovers'], would: 'would be archived', did: 'archived' },
  'remove-temporary': { noun: ['temporary file', 'temporary files'], would: 'would go', did: 'gone' },
  'rotate-index': {
    noun: ['index', 'indexes'],
    would: 'would be copied and made smaller',
    did: 'copied and made smaller',
  },
  'rebuild-index': { noun: ['index', 'indexes'], would: 'would be made anew', did: 'made anew' },
  'clear-lock': { noun: ['lock', 'locks'], would: 'would be cleared', did: 'cleared' },
  'settle-entry': {
    noun: ['session', 'sessions'],
    would: 'would not be gone on with',
    did: 'will not be gone on with',
  },
  'mark-entry': { noun: ['session', 'sessions'], would: 'would be gone on with', did: 'will be gone on with' },
  'repair-transcript': { noun: ['transcript', 'transcripts'], would: 'would be mended', did: 'mended' },
  'drop-binding': { noun: ['thread', 'threads'], would: 'would be let go', did: 'let go' },
  'tighten-mode': { noun: ['file', 'files'], would: 'would be closed to others', did: 'closed to others' },
  'expire-archive': { noun: ['archive', 'archives'], would: 'would be deleted for good', did: 'deleted for good' },
}

/** `3 transcripts`. */
export function countOf(kind: StepKind, amount: number): string {
  return count(amount, ...words[kind].noun)
}

/** As many as a screen has room for; all of them are in the JSON. */
const examplesMax = 5

/** Steps by their kind: how many, how much, and a few of them with their reason; then what is left, by its reason. */
export async function printSteps(
  dir: string,
  steps: readonly StepReport[],
  isDone: boolean,
  terminal: Terminal,
): Promise<void> {
  const waits = (step: StepReport) => step.left !== null
  const ready = steps.filter((step) => !waits(step))
  for (const some of Map.groupBy(ready, (step) => `${step.kind} ${isOfSession(step)}`).values()) {
    const [first] = some
    if (first === undefined) continue
    const { noun, would, did } = words[first.kind]
    const bytes = some.reduce((sum, step) => sum + step.bytes, 0)
    const size = bytes === 0 ? '' : ` (${formatSize(bytes)})`
    const whose = isOfSession(first) ? ' of these sessions' : ''
    await terminal.print('', `  ${count(some.length, ...noun)}${whose} ${isDone ? did : would}${size}`)
    if (whose === '') await terminal.print(...exampleLines(dir, some, ({ because }) => because))
  }
  for (const [because, some] of Map.groupBy(steps.filter(waits), (step) => step.left ?? '')) {
    await terminal.print(
      '',
      `  ${terminal.paint('yellow', `${count(some.length, 'step')} left`)}: ${visibleLine(because)}`,
    )
    const shown = some.filter((step) => !isOfSession(step))
    await terminal.print(...exampleLines(dir, shown.length === 0 ? some : shown, (step) => step.because))
  }
}

/** It goes with an entry, which is shown already. */
function isOfSession({ kind, key }: StepReport): boolean {
  return key !== null && (kind === 'archive-transcript' || kind === 'archive-leftover')
}

function exampleLines(dir: string, steps: readonly StepReport[], says: (step: StepReport) => string): string[] {
  const lines = steps.slice(0, examplesMax).map((step) => {
    const { path, key } = step
    return `    ${visibleLine(`${key ?? within(dir, path)}: ${says(step)}`)}`
  })
  const more = steps.length - lines.length
  return more === 0 ? lines : [...lines, `    and ${count(more, 'more', 'more')}`]
}
