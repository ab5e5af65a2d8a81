import type { LaneReport, LanesReport } from '../../engine/watch/lanes.ts'
import { formatDuration } from '../../model/units.ts'
import { type CommandOptions, command } from '../options.ts'
import { visibleLine } from '../print/visible.ts'
import { ago, count } from '../print/words.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { findWedged, wedgedLines } from './wedged.ts'

export function lanes(terminal: Terminal) {
  return command('lanes', 'How long the lanes are, who runs what, and what waits longest', [
    'holdfast lanes',
    'holdfast lanes --json',
  ]).action(async (options: CommandOptions) => {
    await using api = await reach('read', options, terminal)
    const report = await api.call<LanesReport>('GET', '/v1/lanes')
    const wedged = await findWedged(api, options, terminal)
    if (options.json === true) return await terminal.printJson({ ...report, wedged })
    const nowMs = terminal.outside.clock.nowMs()
    await terminal.print(...wedgedLines(wedged, nowMs), slotsLine(report), '')
    await printLanes(report, terminal)
    await printRunning(report, nowMs, terminal)
  })
}

function slotsLine({ slots, userSlots, lanes, running, more }: LanesReport): string {
  const taken = running.length + more
  const waiting = lanes.reduce((sum, lane) => sum + lane.waiting, 0)
  return `${taken} of ${count(slots, 'slot')} taken, ${userSlots} kept for lane main; ${count(waiting, 'turn')} waiting`
}

async function printLanes({ lanes }: LanesReport, terminal: Terminal): Promise<void> {
  await terminal.printTable(lanes, [
    { title: 'LANE', text: ({ lane }) => lane },
    { title: 'RUNNING', text: ({ running, concurrency }) => `${running} of ${concurrency}`, align: 'right' },
    { title: 'WAITING', text: ({ waiting }) => waiting.toLocaleString('en-US'), align: 'right' },
    { title: 'OLDEST', text: ({ oldest }) => (oldest === null ? '' : formatDuration(oldest.waitedMs)), align: 'right' },
    { title: 'BECAUSE', text: ({ oldest }) => oldest?.cause ?? '' },
    { title: 'PATIENCE', text: ({ patienceMs }) => formatDuration(patienceMs), align: 'right' },
    { title: 'LIMIT', text: ({ waitLimitMs }) => formatDuration(waitLimitMs), align: 'right' },
    { title: 'MOST FROM', text: sourcesOf, shrinks: true },
  ])
}

const sourcesOf = ({ sources }: LaneReport) =>
  sources.map(({ source, waiting }) => `${visibleLine(source)} (${waiting})`).join(', ')

async function printRunning({ running, more }: LanesReport, nowMs: number, terminal: Terminal): Promise<void> {
  if (running.length === 0) return await terminal.print('', 'Nothing runs.')
  await terminal.print('')
  await terminal.printTable(running, [
    { title: 'RUNS', text: ({ sessionKey }) => sessionKey, shrinks: true },
    { title: 'TURN', text: ({ turnId }) => turnId },
    { title: 'LANE', text: ({ lane }) => lane },
    { title: 'SOURCE', text: ({ source }) => visibleLine(source), shrinks: true },
    { title: 'IN', text: ({ pid }) => `process ${pid}` },
    { title: 'FOR', text: ({ sinceMs }) => formatDuration(nowMs - sinceMs), align: 'right' },
    { title: 'PROGRESS', text: ({ lastProgressMs, stuck }) => (stuck ? 'STUCK, ' : '') + ago(lastProgressMs, nowMs) },
    { title: 'DOING', text: ({ lastProgressNote }) => visibleLine(lastProgressNote), shrinks: true },
  ])
  if (more > 0) await terminal.print(`and ${more} more`)
}
