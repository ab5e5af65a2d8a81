import type { DoneStep, RecoveryReport } from '../../engine/upkeep/recover.ts'
import { HoldfastError } from '../../model/errors.ts'
import { formatDuration } from '../../model/units.ts'
import { nameOf, type RecoveryStep } from '../../recovery/plan.ts'
import { type CommandOptions, command } from '../options.ts'
import { count } from '../print/words.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

interface RecoverOptions extends CommandOptions {
  plan?: true
  run?: true
}

export function recover(terminal: Terminal) {
  return command('recover', 'What becomes of what an earlier process left unfinished', [
    'holdfast recover --plan',
    'holdfast recover --plan --json',
    'holdfast recover --run',
  ])
    .option('--plan', 'show each step with its reason; nothing is changed')
    .option('--run', 'carry the plan out now, also when resumes are off')
    .action(async (options: RecoverOptions) => {
      if ((options.plan === true) === (options.run === true)) {
        throw new HoldfastError('USAGE', { because: 'give either --plan or --run' })
      }
      if (options.plan === true) return await plan(options, terminal)
      await using api = await reach('write', options, terminal)
      const report = await api.call<RecoveryReport>('POST', '/v1/recovery/run', {})
      if (options.json === true) return await terminal.printJson(report)
      await print(report, terminal)
      if (!report.started) terminal.note('Turns that are resumed run when a gateway starts.')
    })
}

async function plan(options: RecoverOptions, terminal: Terminal): Promise<void> {
  await using api = await reach('read', options, terminal)
  const report = await api.call<RecoveryReport>('GET', '/v1/recovery')
  if (options.json === true) return await terminal.printJson(report)
  await print(report, terminal)
}

async function print(report: RecoveryReport, terminal: Terminal): Promise<void> {
  const { started, state, done, todo, more } = report
  if (state.because !== null) {
    const until = state.onInMs === null ? '' : ` They go on by themselves in ${formatDuration(state.onInMs)}.`
    await terminal.print(`Resumes ${started ? 'are' : 'would be'} off: ${state.because}.${until}`)
  }
  if (done.length > 0) {
    await terminal.print('Done:')
    await table(done, terminal)
  }
  if (todo.length > 0) {
    await terminal.print(started ? 'To do:' : 'If started now:')
    await table(todo, terminal)
  }
  if (more) terminal.note(`The first ${count(todo.length, 'step')}; there are more.`)
  if (done.length + todo.length === 0) await terminal.print('Nothing was left unfinished.')
}

async function table(steps: readonly (RecoveryStep | DoneStep)[], terminal: Terminal): Promise<void> {
  await terminal.printTable(steps, [
    { title: 'STEP', text: nameOf },
    { title: 'SESSION', text: ({ sessionKey }) => sessionKey, shrinks: true },
    { title: 'TURN', text: ({ turnId }) => turnId },
    { title: 'BECAUSE', text: because, shrinks: true },
  ])
}

function because(step: RecoveryStep | DoneStep): string {
  const failed = 'result' in step && step.result !== 'done'
  return failed ? `${step.because}; it failed: ${step.result}` : step.because
}
