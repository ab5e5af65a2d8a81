import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from '../../src/model/messages.ts'
import { keyOf } from './harness/api.ts'
import { gateBefore } from './harness/gate.ts'
import { answerTo, markOf } from './harness/history.ts'
import { totalOf } from './harness/metrics.ts'
import { type Asked, always, type Behaviour, summaryModel, turnModel } from './harness/model.ts'
import { makeStand, type Stand } from './harness/stand.ts'
import { until } from './harness/wait.ts'

/** Some 100 tokens a message. */
const padding = 'The tide comes in and the tide goes out again. '.repeat(9)
/** Nine of them with their answers are over the soft limit of 960 tokens, fifteen over the hard one. */
const smallContext = { contextWindow: 2_100, answerTokens: 500 }

describe('a summariser that never answers', () => {
  it('delays none of 50 later messages of its session', async () => {
    stand.model.of.set('hung', { summaries: always({ kind: 'hang' }) })
    const asks = () => stand.model.askedFor(summaryModel, 'hung')
    await talk('hung', 1, 20)
    await until('the summariser was asked', () => asks().length > 0)

    const beganAtMs = Date.now()
    for (let number = 21; number <= 70; number += 1) {
      await talk('hung', number, number)
      expect(asks().map(({ state }) => state)).toEqual(['open'])
    }
    expect(Date.now() - beganAtMs).toBeLessThan(60_000)

    const shown = shownFor('hung')
    expect(shown).toContain(`${markOf('hung', 70)} `)
    expect(shown).toContain(`${markOf('hung', 68)} `)
    expect(shown).not.toContain(`${markOf('hung', 1)} `)
    expect(await stand.api.summaries('hung')).toEqual([])
  })
})

describe.concurrent('a summariser that fails', () => {
  const failures: [string, Behaviour, string][] = [
    ['reports an error', always({ kind: 'status', status: 500, message: 'broken' }), 'failed'],
    ['answers with nothing', always({ kind: 'empty' }), 'failed'],
    ['answers with more than it was given', always({ kind: 'answer', text: padding.repeat(60) }), 'refused'],
    ['answers with something unreadable', always({ kind: 'garbage' }), 'failed'],
  ]

  it.each(failures)(
    '%s: every message is answered, and then a note is made without it',
    async (what, summaries, outcome) => {
      const session = what.replaceAll(/[^a-z]/g, '')
      stand.model.of.set(session, { summaries })
      let number = 0
      const standing = () => stand.api.summaries(session)
      await until('a summary stands', async () => {
        number += 1
        await talk(session, number, number)
        return number > 20 && (await standing()).length > 0
      })
      expect((await standing()).every(({ kind }) => kind === 'mechanical')).toBe(true)
      expect(totalOf(await stand.api.metrics(), 'holdfast_compactions_total', { outcome })).toBeGreaterThan(0)
    },
  )
})

describe('a summary that comes too late', () => {
  it('is not used for the transcript that a reset began', async () => {
    const gate = gateBefore(always({ kind: 'answer', text: 'late-note' }))
    stand.model.of.set('late', { summaries: gate.behaviour })
    await talk('late', 1, 6)
    const late = compact('late')
    await until('the summariser was asked', () => gate.waiting.length > 0)
    await stand.api.post(`/v1/sessions/${keyOf('late')}/reset`, { reason: 'test' })
    await talk('late', 7, 7)
    gate.open()
    expect((await late).body.error.code).toBe('SUMMARY_STALE')
    expect(await stand.api.summaries('late')).toEqual([])
    await talk('late', 8, 8)
    expect(shownFor('late')).not.toContain('late-note')
  })

  it('is not used when the summary that it continues was undone meanwhile', async () => {
    await talk('undone', 1, 6)
    const first = await compact('undone')
    expect(first.status).toBe(200)
    const gate = gateBefore(always({ kind: 'answer', text: 'late-note' }))
    stand.model.of.set('undone', { summaries: gate.behaviour })
    await talk('undone', 7, 10)
    const late = compact('undone')
    await until('the summariser was asked', () => gate.waiting.length > 0)
    expect((await undo('undone', first.body.summary.id)).status).toBe(200)
    gate.open()
    expect((await late).body.error.code).toBe('SUMMARY_STALE')
    const standing = (await stand.api.summaries('undone')).filter(({ undoneAtMs }) => undoneAtMs === null)
    expect(standing).toEqual([])
  })
})

describe('a good summary', () => {
  it('is shown to the model instead of what it covers, until it is undone', async () => {
    stand.model.of.set('good', { summaries: always({ kind: 'answer', text: 'note: they talked of the tide' }) })
    await talk('good', 1, 7)
    expect(shownFor('good')).toContain(`${markOf('good', 1)} `)
    const { status, body } = await compact('good')
    expect(status).toBe(200)

    await talk('good', 8, 8)
    expect(shownFor('good')).toContain('note: they talked of the tide')
    expect(shownFor('good')).toContain(`${markOf('good', 7)} `)
    expect(shownFor('good')).not.toContain(`${markOf('good', 1)} `)
    const entries = await stand.api.entries('good')
    expect(entries.filter(({ kind }) => kind === 'user')).toHaveLength(8)

    await undo('good', body.summary.id)
    await talk('good', 9, 9)
    expect(shownFor('good')).not.toContain('note: they talked of the tide')
    expect(shownFor('good')).toContain(`${markOf('good', 1)} `)
  })
})

it('never made a turn wait', async () => {
  const samples = await stand.api.metrics()
  const waited = (part: string) => totalOf(samples, `holdfast_turn_wait_seconds_${part}`, { cause: 'compaction' })
  expect(waited('count')).toBeGreaterThan(70)
  expect(waited('sum')).toBe(0)
})

let stand: Stand
beforeAll(async () => {
  const timing = { timeLimit: '10m', backoffFirst: '20ms', backoffMax: '50ms', failuresMax: 1, concurrency: 8 }
  stand = await makeStand({ model: smallContext, compaction: timing })
})
afterAll(() => stand[Symbol.asyncDispose]())

/** One message after the other; each must be answered with its own mark. */
async function talk(session: string, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number += 1) {
    const mark = markOf(session, number)
    const { status, body } = await stand.api.chat(session, `${mark} ${padding}`)
    expect([status, body.choices?.[0]?.message.content]).toEqual([200, answerTo(mark)])
  }
}

/** What the model saw with the session's last message. */
function shownFor(session: string): string {
  const last = stand.model.askedFor(turnModel, session).at(-1) as Asked
  return last.messages.map(textOf).join('\n')
}

const compact = (session: string) =>
  stand.api.post<{ summary: { id: number }; error: { code: string } }>(`/v1/sessions/${keyOf(session)}/compact`)

const undo = (session: string, id: number) => stand.api.post(`/v1/sessions/${keyOf(session)}/summaries/${id}/undo`)
