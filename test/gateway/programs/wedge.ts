import { existsSync } from 'node:fs'
import { jsonLog, openHoldfast, sqliteStore } from '../../../src/index.ts'

/** A builder's program whose runner does not give the event loop back until the second argument is a file. The first: the data. */
const [directory = '', untilFile = ''] = process.argv.slice(2)
const staying = setInterval(() => {}, 1_000) // the engine's own timers keep no process alive
const wedges = !existsSync(untilFile)
const bot = await openHoldfast({
  store: sqliteStore(directory),
  log: jsonLog('info', process.stderr),
  settings: { watch: { stuckAfterMs: 2_000, wedgedAfterMs: 1_000 } },
  async run(turn) {
    turn.progress('computes')
    while (!existsSync(untilFile));
    return 'at last'
  },
})
const events: string[] = []
const recovered = Promise.withResolvers<void>()
void (async () => {
  for await (const found of bot.events.subscribe(null)) {
    if (!('event' in found)) continue
    if (/^loop|stuck$/.test(found.event.type)) events.push(found.event.type)
    if (found.event.type === 'loop.recovered') recovered.resolve()
  }
})()
const { turn } = await bot.submit({ key: 'alice', messages: 'Hello' })
const { reply } = await bot.settled(turn.id)
if (wedges) await recovered.promise
await bot.close()
clearInterval(staying)
console.log(JSON.stringify({ reply: reply.length, events }))
