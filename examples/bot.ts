// A chat bot for several people, on standard input: `alice: hello`, `bob: roll`, `alice: think`.
//   node --conditions=holdfast-source examples/bot.ts [MODEL_URL MODEL_NAME]
// Kill it while somebody waits and start it again: it goes on where it was.
import { randomInt } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { openHoldfast, type RunningTurn, sqliteStore, textOf } from 'holdfast'

const [modelUrl, modelName] = process.argv.slice(2)

/** Answers by rules, so that the example needs no model. */
async function byRules(turn: RunningTurn): Promise<string> {
  const said = turn.messages.map(textOf).join(' ')
  if (said === 'roll') {
    const dice = { id: `call_${turn.id}`, type: 'function' as const, function: { name: 'dice', arguments: '{}' } }
    const result = String(randomInt(1, 7))
    // On disk before the answer: a restart shows the model what was done.
    await turn.append([
      { role: 'assistant', content: null, tool_calls: [dice] },
      { role: 'tool', tool_call_id: dice.id, content: result },
    ])
    return `You rolled ${result}.`
  }
  if (said === 'think') {
    turn.progress('thinking') // shows in `holdfast why`
    await sleep(3_000, undefined, { signal: turn.signal })
  }
  const before = turn.context.filter((message) => message.role === 'user').length - 1
  return `You said "${said}". I remember ${before} messages of yours before that.`
}

async function byModel(turn: RunningTurn): Promise<string> {
  const response = await fetch(`${modelUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: modelName, messages: turn.context }),
    signal: turn.signal, // a cancelled turn also ends the request
  })
  if (!response.ok) throw new Error(`the model answered ${response.status}`)
  const { choices } = (await response.json()) as { choices: [{ message: { content: string } }] }
  return choices[0].message.content
}

const bot = await openHoldfast({
  store: sqliteStore(process.env.BOT_DATA ?? '.holdfast-bot'),
  run: modelUrl === undefined ? byRules : byModel,
  // the answer itself is the last entry; before it stand the calls of tools
  deliver: async ({ target, outcome }, reply) =>
    console.log(`to ${target}: ${outcome === null ? reply.at(-1)?.body.content : outcome.message}`),
})
const answers: Promise<unknown>[] = []
for await (const line of createInterface({ input: process.stdin })) {
  const [, name, text] = /^(\w+):\s*(.+)$/.exec(line) ?? []
  if (name === undefined || text === undefined) continue
  const { turn } = await bot.submit({ key: `chat:direct:${name}`, messages: text, deliverTo: [name] })
  answers.push(bot.settled(turn.id)) // the message is on disk; from here on a kill loses nothing
}
await Promise.all(answers)
await bot.close()
