import { jsonLog, openHoldfast, sqliteStore } from '../../../src/index.ts'

/** A builder's program whose runner does not give the event loop back for a while. Arguments: data directory, milliseconds. */
const [directory = '', wedgedMs = ''] = process.argv.slice(2)
const bot = await openHoldfast({
  store: sqliteStore(directory),
  log: jsonLog('info', process.stderr),
  settings: { watch: { stuckAfterMs: 2_000, wedgedAfterMs: 1_000 } },
  async run(turn) {
    turn.progress('computes')
    const end = performance.now() + Number(wedgedMs)
    while (performance.now() < end);
    return 'at last'
  },
})
const events: string[] = []
void (async () => {
  for await (const found of bot.events.subscribe(null)) if ('event' in found) events.push(found.event.type)
})()
const { turn } = await bot.submit({ key: 'alice', messages: 'Hello' })
console.log('submitted')
const { reply } = await bot.settled(turn.id)
await new Promise((resolve) => setTimeout(resolve, 2_500))
await bot.close()
console.log(JSON.stringify({ reply: reply.length, events: events.filter((type) => /^(loop|turn\.s.*k)/.test(type)) }))
