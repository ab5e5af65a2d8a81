import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../src/model/entries.ts'
import type { Turn } from '../../../src/model/turns.ts'
import { answerTo, type Kept, overlapsIn, problemsOf, type Sent } from './history.ts'

const [first, second, third] = ['mark-a-1', 'mark-a-2', 'mark-a-3'] as const

describe('the history checker', () => {
  it('has nothing to say about a good history', () => {
    expect(problemsOf(...history())).toEqual([])
  })

  it('accepts a failure that the turn tells', () => {
    const [sent, kept] = history()
    endAs(kept, 2, 'quarantined', 'TURN_QUARANTINED')
    tell(sent, 2, null)
    expect(problemsOf(sent, [kept[0]])).toEqual([])
  })

  it('accepts that a message which was never acknowledged is not there', () => {
    const [sent, [kept]] = history()
    Object.assign(sent[2] as Sent, { acknowledgedAt: null, told: null })
    expect(problemsOf(sent, [{ ...kept, entries: kept.entries.slice(0, 4) }])).toEqual([])
  })

  it('accepts either order of two messages that were under way together', () => {
    const [sent, kept] = history()
    Object.assign(sent[0] as Sent, { acknowledgedAt: 50 })
    Object.assign(sent[1] as Sent, { acknowledgedAt: 51 })
    swap(kept, 1, 2)
    expect(problemsOf(sent, kept)).toEqual([])
  })

  it('accepts that a turn was begun several times', () => {
    const [sent, [kept]] = history()
    kept.entries.pop()
    add(kept, 'assistant', answerTo(third), 3, 3)
    Object.assign(kept.turns[2] as Turn, { attempts: 3 })
    expect(problemsOf(sent, [kept])).toEqual([])
  })

  const faults: [string, (sent: Sent[], kept: [Kept]) => void, string][] = [
    ['a lost message', (_, [kept]) => kept.entries.splice(4, 2), `a: ${third} was acknowledged and is lost`],
    ['a lost session', (_, kept) => kept.pop(), 'a: messages were sent, but there is no such session'],
    ['a doubled message', (_, [kept]) => add(kept, 'user', third, 3), `a: ${third} is in the session 2 times`],
    ['a message in two turns', (_, [kept]) => add(kept, 'user', third, 2), `a: ${third} is in the session 2 times`],
    [
      'an answer by an attempt that was broken off',
      (_, [kept]) => Object.assign(kept.turns[2] as Turn, { attempts: 2 }),
      `a: ${third} was answered by an attempt that was broken off`,
    ],
    [
      'a message that nobody sent here',
      (_, [kept]) => add(kept, 'user', 'mark-b-1', 1),
      'a: mark-b-1 is in the session, but was not sent to it',
    ],
    ['a doubled answer', (_, [kept]) => add(kept, 'assistant', answerTo(first), 1), `a: ${first} was answered 2 times`],
    [
      'a missing answer',
      (sent, [kept]) => {
        kept.entries.pop()
        tell(sent, 3, null)
      },
      `a: ${third} is done without an answer`,
    ],
    [
      'a turn that never ended',
      (_, kept) => endAs(kept, 3, 'interrupted', null),
      `a: ${third} has not been answered: its turn is interrupted`,
    ],
    [
      'a failure without a reason',
      (sent, kept) => {
        endAs(kept, 3, 'failed', null)
        tell(sent, 3, null)
      },
      `a: ${third} is failed without a reason`,
    ],
    [
      'another answer kept than the model gave',
      (_, [kept]) => Object.assign(kept.entries[5]?.body as object, { content: `${answerTo(third)}!` }),
      `a: ${third} was answered with "${answerTo(third)}!"`,
    ],
    [
      'an answer that was told and not kept',
      (_, kept) => endAs(kept, 3, 'failed', 'MODEL_EMPTY'),
      `a: ${third} is failed, but its sender was told an answer`,
    ],
    [
      'another answer told than kept',
      (sent) => tell(sent, 2, answerTo(first)),
      `a: ${second}: its sender was told "${answerTo(first)}"`,
    ],
    [
      'an answer by the wrong turn',
      (_, [kept]) => Object.assign(kept.entries[5] as Entry, { turnId: 't1' }),
      `a: ${third} was answered by another turn`,
    ],
    ['a gap', (_, [kept]) => Object.assign(kept.entries[5] as Entry, { seq: 7 }), 'a: entry 6 has seq 7'],
    ['a fallen fence', (_, [kept]) => kept.fences.push(2), 'a: the fence fell from 3 to 2'],
    [
      'an order that nobody could have seen',
      (_, kept) => swap(kept, 1, 2),
      `a: ${second} stands before ${first}, but was sent after that was acknowledged`,
    ],
  ]

  it.each(faults)('finds %s', (_, plant, problem) => {
    const [sent, kept] = history()
    plant(sent, kept)
    expect(problemsOf(sent, kept)).toEqual([problem])
  })
})

it('finds a turn that wrote while another did, and accepts one that was run again', () => {
  const [, [kept]] = history()
  expect(overlapsIn(kept.entries)).toEqual([])
  add(kept, 'assistant', 'once more', 1, 2)
  expect(overlapsIn(kept.entries)).toEqual([])
  add(kept, 'assistant', 'too late', 1)
  expect(overlapsIn(kept.entries)).toEqual(['entry 8 is of an attempt in which others have written'])
})

/** Three messages, one after the other, each answered. */
function history(): [Sent[], [Kept]] {
  const marks = [first, second, third]
  const sent = marks.map((mark, index) => {
    const sentAt = index * 10
    return { session: 'a', mark, sentAt, acknowledgedAt: sentAt + 5, told: answerTo(mark) }
  })
  const kept: Kept = { session: 'a', entries: [], turns: [], fences: [1, 2, 2, 3] }
  marks.forEach((mark, index) => {
    add(kept, 'user', mark, index + 1)
    add(kept, 'assistant', answerTo(mark), index + 1)
    kept.turns.push({ id: `t${index + 1}`, status: 'done', attempts: 1, outcome: null } as Turn)
  })
  return [sent, [kept]]
}

function add({ entries }: Kept, kind: 'user' | 'assistant', content: string, turn: number, attempt = 1): void {
  const body = { role: kind, content }
  entries.push({ seq: entries.length + 1, turnId: `t${turn}`, attempt, kind, body } as Entry)
}

/** The turn ends otherwise, without its answer. */
function endAs([kept]: [Kept], turn: number, status: Turn['status'], code: string | null): void {
  Object.assign(kept.turns[turn - 1] as Turn, { status, outcome: code === null ? null : { code } })
  kept.entries = kept.entries
    .filter((entry) => !(entry.kind === 'assistant' && entry.turnId === `t${turn}`))
    .map((entry, index) => ({ ...entry, seq: index + 1 }))
}

function tell(sent: Sent[], message: number, told: string | null): void {
  Object.assign(sent[message - 1] as Sent, { told })
}

function swap([kept]: [Kept], one: number, other: number): void {
  const of = (turn: number) => kept.entries.filter(({ turnId }) => turnId === `t${turn}`)
  const rest = kept.entries.filter(({ turnId }) => turnId !== `t${one}` && turnId !== `t${other}`)
  kept.entries = [...of(other), ...of(one), ...rest].map((entry, index) => ({ ...entry, seq: index + 1 }))
}
