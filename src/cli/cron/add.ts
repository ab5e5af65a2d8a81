import { InvalidArgumentError, Option } from 'commander'
import { type Job, missedPolicies } from '../../model/jobs.ts'
import { type CommandOptions, command } from '../options.ts'
import { visibleLine } from '../print/visible.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { dueText } from './due.ts'

interface AddOptions extends CommandOptions {
  name?: string
  id?: string
  zone?: string
  missed?: string
  agent?: string
  instructions?: string
  params?: Record<string, unknown>
  deliverTo?: string[]
  disabled?: true
  replace?: true
}

/** Of a name that is taken from the message, in UTF-16 units. */
const nameLength = 40

export function cronAdd(terminal: Terminal) {
  return command('add', 'Send a message by the clock, each time into a new session', [
    'holdfast cron add "0 7 * * 1-5" "What is on today?" --name morning --zone Europe/Vienna',
    'holdfast cron add "*/10 * * * * *" "Look at the queue" --id queue --missed skip',
    'holdfast cron add @daily "Sum up yesterday" --deliver-to telegram:42',
    'holdfast cron add "0 8 * * *" "What is on today?" --id morning --replace',
  ])
    .argument('<schedule>', 'a cron expression: minute hour day month weekday, with a second before them if need be')
    .argument('<message>', 'what is sent')
    .option('--name <text>', 'for people (default: how the message begins)')
    .option('--id <id>', 'for commands and session keys (default: made from the name)')
    .option('--zone <name>', 'the time zone of the schedule, such as Europe/Vienna (default: UTC)')
    .addOption(
      new Option('--missed <policy>', 'when nothing ran at due times: skip them, make one run for all, or all of them')
        .choices(missedPolicies)
        .default('once'),
    )
    .option('--agent <id>', 'whose sessions (default: main)')
    .option('--instructions <text>', 'a system message')
    .option('--params <json>', 'fields for the model', jsonObject)
    .option('--deliver-to <target>', 'where the reply is sent; may be repeated', (target, before: string[] = []) => [
      ...before,
      target,
    ])
    .option('--disabled', 'switched off at first')
    .option('--replace', 'take the place of the job that has this id')
    .action(async (schedule: string, text: string, options: AddOptions) => {
      await using api = await reach('write', options, terminal)
      const { id, zone: timeZone, missed, agent: agentId, params, deliverTo, replace, instructions } = options
      const job = await api.call<Job>('POST', '/v1/cron', {
        id,
        name: options.name ?? visibleLine(text).slice(0, nameLength),
        schedule,
        timeZone,
        missed,
        agentId,
        text,
        instructions: instructions === undefined ? undefined : [{ role: 'system', content: instructions }],
        params,
        deliverTo,
        enabled: options.disabled !== true,
        replace,
      })
      if (options.json === true) return await terminal.printJson(job)
      await terminal.print(`Job ${job.id} ${job.enabled ? `is due next at ${dueText(job)}` : 'is switched off'}.`)
      if (api.via !== 'gateway') terminal.note('No gateway runs now: what falls due waits for the next one.')
    })
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(text)
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) return { ...found }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new InvalidArgumentError('It must be a JSON object.')
}
