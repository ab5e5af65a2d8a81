import type { Turn } from '../../model/turns.ts'
import { type CommandOptions, command, group, wholeNumber } from '../options.ts'
import { ago, count } from '../print/words.ts'
import { readList } from '../reach/pages.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

export function quarantine(terminal: Terminal) {
  return group('quarantine', 'Turns that were interrupted too often', [list(terminal), release(terminal)])
}

function list(terminal: Terminal) {
  return command('list', 'Turns in quarantine, newest first', [
    'holdfast quarantine list',
    'holdfast quarantine list --limit 200 --json',
  ])
    .option('--limit <count>', 'how many at most', wholeNumber, 50)
    .action(async (options: CommandOptions & { limit: number }) => {
      await using api = await reach('read', options, terminal)
      const { items, more } = await readList<Turn>(api, '/v1/quarantine', {}, options.limit)
      if (options.json === true) return await terminal.printJson({ items, more })
      if (items.length === 0) return await terminal.print('No turn is in quarantine.')
      const nowMs = terminal.outside.clock.nowMs()
      await terminal.printTable(items, [
        { title: 'TURN', text: ({ id }) => id },
        { title: 'SESSION', text: ({ sessionKey }) => sessionKey, shrinks: true },
        { title: 'BECAUSE', text: ({ outcome }) => outcome?.code ?? '' },
        { title: 'ATTEMPTS', text: ({ attempts, handedOver }) => String(attempts - handedOver), align: 'right' },
        { title: 'CAME', text: ({ admittedAtMs }) => ago(admittedAtMs, nowMs) },
      ])
      if (more) terminal.note(`The newest ${count(items.length, 'turn')}; --limit shows more.`)
    })
}

function release(terminal: Terminal) {
  return command('release', 'Run a turn in quarantine again, as a new turn of its session', [
    'holdfast quarantine release 01924f00-0000-7000-8000-000000000001',
  ])
    .argument('<id>', 'the turn, as `holdfast quarantine list` shows it')
    .action(async (id: string, options: CommandOptions) => {
      await using api = await reach('write', options, terminal)
      const turn = await api.call<Turn>('POST', `/v1/turns/${encodeURIComponent(id)}/release`, {})
      if (options.json === true) return await terminal.printJson(turn)
      await terminal.print(`Released: it runs again as turn ${turn.id} of ${turn.sessionKey}.`)
      if (api.via === 'store') terminal.note('No gateway runs: it is answered when one starts.')
    })
}
