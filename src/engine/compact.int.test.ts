import { expect, it } from 'vitest'
import { newData, shortLimits } from '../../test/engine/opened.ts'
import { countMessages } from '../compaction/meter.ts'
import { parseSessionKey } from '../model/keys.ts'
import { type Message, textOf } from '../model/messages.ts'
import type { Summarizer } from './runner.ts'
import { type PartialSettings, roomTokens } from './settings.ts'
import { type CompactionOutcome, silentTelemetry } from './telemetry.ts'

const key = parseSessionKey('alice')
const context = { windowTokens: 2_400, answerTokens: 400, softShare: 0.6, keepShare: 0.25 }
const settings: PartialSettings = {
  ...shortLimits,
  context,
  compaction: { timeLimitMs: 300, failuresMax: 3, backoffMs: { first: 10, max: 50 } },
}
const long = (text: string) => `${text} ${'word '.repeat(60)}`

/** An engine whose runner notes what it was shown. */
async function talk(summarize: Summarizer | null) {
  const shown: (readonly Message[])[] = []
  const outcomes: CompactionOutcome[] = []
  const waited: Record<string, number> = {}
  const engine = await (await newData()).open({
    run: async (turn) => {
      shown.push(turn.context)
      return long(`answer to ${turn.messages.map(textOf).join()}`)
    },
    summarize,
    settings,
    telemetry: {
      ...silentTelemetry,
      compaction: (outcome) => outcomes.push(outcome),
      turnWaited: (_lane, cause, ms) => {
        waited[cause] = (waited[cause] ?? 0) + ms
      },
    },
  })
  const say = async (text: string) => {
    const { turn } = await engine.submit({ key, messages: long(text) })
    return (await engine.settled(turn.id)).turn.status
  }
  return { engine, say, shown, outcomes, waited }
}

it('answers every message while the summariser hangs, and no turn waits for it', async () => {
  const { say, shown, outcomes, waited } = await talk(() => new Promise(() => {}))
  for (let index = 0; index < 50; index += 1) expect(await say(`message ${index}`)).toBe('done')
  expect(waited.compaction).toBe(0)
  for (const messages of shown) expect(countMessages(messages)).toBeLessThanOrEqual(roomTokens(context))
  await expect.poll(() => outcomes, { timeout: 10_000 }).toContain('mechanical')
  expect(new Set(outcomes)).toEqual(new Set(['timeout', 'mechanical']))
})

it('shows the model the summary and what was said after it, and all of it again after an undo', async () => {
  const { engine, say, shown } = await talk(async () => 'They counted to eight.')
  for (let index = 0; index < 9; index += 1) await say(`message ${index}`)
  await expect.poll(() => engine.store.listSummaries(key), { timeout: 10_000 }).toHaveLength(1)
  await say('and now?')
  const [first, second] = shown.at(-1) ?? []
  expect(first?.content).toContain('They counted to eight.')
  expect(second?.role).toBe('user')

  const [summary] = await engine.store.listSummaries(key)
  await engine.undoSummary(key, summary?.id ?? 0)
  const source = await engine.store.readContext({ key, tokensMax: 100_000, bytesMax: 1_000_000 })
  expect(source.summary).toBeNull()
  expect(source.entries).toHaveLength(20)
})

it('tells in `why` what the summariser is doing', async () => {
  const { engine, say } = await talk(() => new Promise(() => {}))
  for (let index = 0; index < 9; index += 1) await say(`message ${index}`)
  await expect.poll(async () => (await engine.why(key)).compaction.state).not.toBe('idle')
})
