import type { Entry } from '../../../src/model/entries.ts'
import { type Message, textOf } from '../../../src/model/messages.ts'
import { isSettled, type Turn } from '../../../src/model/turns.ts'

/** What one client knows of one message. */
export interface Sent {
  session: string
  /** Stands in the message's text and nowhere else; the model answers `answerTo(mark)`. */
  mark: string
  /** Places in the one order of everything that clients did and saw. A repeat of a send keeps the first place. */
  sentAt: number
  /** Null: no answer said that it was accepted. Then it may be there or not, but not twice. */
  acknowledgedAt: number | null
  /** The answer that its sender read to the end; null when it read none, or was told of a failure. */
  told: string | null
}

/** What the gateway says of one session afterwards. */
export interface Kept {
  session: string
  /** Of one transcript, oldest first. */
  entries: Entry[]
  turns: Turn[]
  /** The session's fence, each time somebody looked. */
  fences: number[]
}

export const markOf = (session: string, number: number): string => `mark-${session}-${number}`
export const answerTo = (mark: string): string => `answer to ${mark}`

const markPattern = /mark-[a-z0-9]+-\d+/

/**
 * Pure, and linear in what it is given. Empty when every acknowledged message is in its session once and answered
 * once (or its turn says why not), entries have no gaps, fences never fell, and a message that was sent after another
 * was acknowledged stands after it.
 */
export function problemsOf(sent: readonly Sent[], kept: readonly Kept[]): string[] {
  const sentBySession = Map.groupBy(sent, (message) => message.session)
  const keptSessions = new Set(kept.map(({ session }) => session))
  const missing = [...sentBySession.keys()].filter((session) => !keptSessions.has(session))
  return [
    ...missing.map((session) => `${session}: messages were sent, but there is no such session`),
    ...kept.flatMap((session) => problemsOfSession(sentBySession.get(session.session) ?? [], session)),
  ]
}

function problemsOfSession(sent: readonly Sent[], kept: Kept): string[] {
  return [
    ...gaps(kept.entries),
    ...falls(kept.fences),
    ...strangers(sent, kept.entries),
    ...sent.flatMap(messageCheck(kept)),
    ...disorder(sent, kept.entries),
  ].map((problem) => `${kept.session}: ${problem}`)
}

function gaps(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ seq }, index) => (seq === index + 1 ? [] : [`entry ${index + 1} has seq ${seq}`]))
}

/** What one attempt wrote stands together: nobody else wrote in between. Entries of one or more sessions, each oldest first. */
export function overlapsIn(entries: readonly Entry[]): string[] {
  const ended = new Set<string>()
  let writer = ''
  return entries.flatMap(({ turnId, attempt, seq }) => {
    const next = `${turnId} ${attempt}`
    if (next === writer) return []
    ended.add(writer)
    writer = next
    return turnId !== null && ended.has(next) ? [`entry ${seq} is of an attempt in which others have written`] : []
  })
}

function falls(fences: readonly number[]): string[] {
  return fences.flatMap((fence, index) => {
    const before = fences[index - 1] ?? fence
    return fence < before ? [`the fence fell from ${before} to ${fence}`] : []
  })
}

/** Messages of a user that nobody sent to this session. */
function strangers(sent: readonly Sent[], entries: readonly Entry[]): string[] {
  const known = new Set(sent.map(({ mark }) => mark))
  return entries.flatMap((entry) => {
    const mark = entry.kind === 'user' ? markIn(entry) : null
    return mark === null || known.has(mark) ? [] : [`${mark} is in the session, but was not sent to it`]
  })
}

function messageCheck({ entries, turns }: Kept): (message: Sent) => string[] {
  const byMark = Map.groupBy(entries, (entry) => markIn(entry) ?? '')
  const turnById = new Map(turns.map((turn) => [turn.id, turn]))

  return ({ mark, acknowledgedAt, told }) => {
    const written = byMark.get(mark)?.filter(({ kind }) => kind === 'user') ?? []
    const answers = byMark.get(mark)?.filter(({ kind }) => kind === 'assistant') ?? []
    const [message] = written
    if (message === undefined) return acknowledgedAt === null ? [] : [`${mark} was acknowledged and is lost`]
    if (written.length > 1) return [`${mark} is in the session ${written.length} times`]
    if (answers.length > 1) return [`${mark} was answered ${answers.length} times`]

    const turn = turnById.get(message.turnId ?? '')
    if (turn === undefined) return [`${mark} belongs to no turn`]
    if (!isSettled(turn.status)) return [`${mark} has not been answered: its turn is ${turn.status}`]
    const [answer] = answers
    if (turn.status !== 'done') {
      if (answer !== undefined) return [`${mark} was answered, but its turn is ${turn.status}`]
      if (told !== null) return [`${mark} is ${turn.status}, but its sender was told an answer`]
      return turn.outcome === null ? [`${mark} is ${turn.status} without a reason`] : []
    }
    if (answer === undefined) return [`${mark} is done without an answer`]
    if (answer.turnId !== turn.id) return [`${mark} was answered by another turn`]
    if (answer.attempt !== turn.attempts) return [`${mark} was answered by an attempt that was broken off`]
    const text = textOf(answer.body as Message)
    if (text !== answerTo(mark)) return [`${mark} was answered with ${JSON.stringify(text)}`]
    return told === null || told === text ? [] : [`${mark}: its sender was told ${JSON.stringify(told)}`]
  }
}

/** A message may stand before another only if it was sent before the other was acknowledged. */
function disorder(sent: readonly Sent[], entries: readonly Entry[]): string[] {
  const byMark = new Map(sent.map((message) => [message.mark, message]))
  let latest: Sent | null = null
  const problems: string[] = []
  for (const entry of entries) {
    const message = entry.kind === 'user' ? byMark.get(markIn(entry) ?? '') : undefined
    if (message === undefined) continue
    if (latest !== null && message.acknowledgedAt !== null && message.acknowledgedAt < latest.sentAt) {
      problems.push(`${latest.mark} stands before ${message.mark}, but was sent after that was acknowledged`)
    }
    if (latest === null || message.sentAt > latest.sentAt) latest = message
  }
  return problems
}

function markIn(entry: Entry): string | null {
  if (entry.kind === 'event') return null
  return markPattern.exec(textOf(entry.body as Message))?.[0] ?? null
}
