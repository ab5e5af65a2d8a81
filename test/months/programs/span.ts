/**
 * `node --expose-gc span.ts DIRECTORY JOURNAL SPAN`: plays one span of simulated time on the data in the directory, and notes in the
 * journal what was acknowledged. Prints a line for each moment at which it may be worth killing it.
 */
import { writeSync } from 'node:fs'
import { Pen } from '../journal.ts'
import { World } from '../world.ts'

const [directory, journal, span] = process.argv.slice(2) as [string, string, string]
/** Verbs of the store at whose call a sweep, an undo or a deletion is in the middle of something. */
const moments = ['stride', 'takeOut', 'purge', 'giveBack', 'putBack', 'moveArchived', 'dropArchived']
const mark = (act: string) => {
  if (moments.includes(act)) writeSync(1, `${act}\n`)
}
const staying = setInterval(() => {}, 2 ** 30) // the clock's timers keep no process alive
await new World(directory, JSON.parse(span), new Pen(journal), mark).play()
clearInterval(staying)
