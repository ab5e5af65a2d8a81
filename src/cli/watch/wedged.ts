import { readWedged, type Wedged } from '../../engine/watch/wedged.ts'
import { formatDuration } from '../../model/units.ts'
import { dataDirectory } from '../config/read.ts'
import type { CommandOptions } from '../options.ts'
import { visibleLine } from '../print/visible.ts'
import { moment } from '../print/words.ts'
import type { Api } from '../reach/api.ts'
import { ownerOf } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'

/** Turns that are named; the rest is counted. */
const namedMax = 10

/** What the thread that watches has left for those who get no answer; null when the gateway answers, or nothing is known. */
export async function findWedged(api: Api, options: CommandOptions, terminal: Terminal): Promise<Wedged | null> {
  if (api.via === 'gateway') return null
  const directory = await dataDirectory(options, terminal)
  return readWedged(directory, ownerOf(directory))
}

export function wedgedLines(wedged: Wedged | null, nowMs: number): string[] {
  if (wedged === null) return []
  const { process, sinceMs, running } = wedged
  const more = wedged.more + Math.max(0, running.length - namedMax)
  return [
    `The event loop of process ${process.pid} has stood still since ${moment(sinceMs)}, for ${formatDuration(nowMs - sinceMs)}.`,
    ...(running.length === 0 ? ['No turn was running.'] : ['Running then, last sign of life first:']),
    ...running.slice(0, namedMax).map(({ sessionKey, turnId, lane, note }) => {
      const doing = note === '' ? '' : `: ${visibleLine(note)}`
      return `  ${sessionKey}, turn ${turnId}, lane ${lane}${doing}`
    }),
    ...(more === 0 ? [] : [`  and ${more} more`]),
    `It may come back by itself. Ending the process (\`kill -9 ${process.pid}\`) and starting it again loses nothing acknowledged.`,
    '',
  ]
}
