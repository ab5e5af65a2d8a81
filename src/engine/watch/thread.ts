import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../host/clock.ts'
import { writeErrorLine } from '../../host/error-line.ts'
import { levelNumbers } from '../../host/log.ts'
import type { Holder } from '../../model/holders.ts'
import { type Alarm, lookEveryMs, planAlarms, type TurnSilence, type View } from './alarms.ts'
import { BoardReader, type Sitting } from './board.ts'
import { removeWedged, writeWedged } from './wedged.ts'

/**
 * The thread that watches. It has no event loop to stand still: it sleeps, looks at the board, tells, and sleeps again. The
 * main thread is told by messages, for which it must go round; the log and `wedged.json` need nobody.
 */
export interface ThreadData {
  board: SharedArrayBuffer
  holder: Holder
  /** Of `wedged.json`; null: none is written. */
  directory: string | null
  /** The least level of the lines on standard error. */
  level: keyof typeof levelNumbers
}

/** What the main thread hears. */
export type Told =
  | { kind: 'turn stuck' | 'turn moves' | 'turn ended'; turn: Sitting; stillMs: number }
  | { kind: 'loop wedged'; stillMs: number; turns: number }
  | { kind: 'loop goes round'; stillMs: number }

/** Turns named in the file and in the line of the log. */
const namedMax = { file: 50, line: 5 }
/** Lines that nobody takes are tried again at the next look. */
const linesMax = 16

const port = parentPort as MessagePort
const { board: memory, holder, directory, level } = workerData as ThreadData
const board = new BoardReader(memory)
/** Who was called stuck: when its end is told, the board may show another. */
const stuck = new Map<string, Sitting>()
const lines: string[] = []
let view: View | null = null

const nameOf = ({ slot, of }: TurnSilence) => `${slot} ${of}`

function tell(alarm: Alarm): void {
  switch (alarm.kind) {
    case 'turn stuck': {
      const sitting = board.whoIs(alarm.turn)
      if (sitting === null) return // it has moved in this very moment
      stuck.set(nameOf(alarm.turn), sitting)
      tellOf(alarm, sitting, 'warn', 'a turn is stuck: it shows no progress')
      break
    }
    case 'turn moves':
    case 'turn ended': {
      const sitting = stuck.get(nameOf(alarm.turn))
      if (sitting === undefined) return
      stuck.delete(nameOf(alarm.turn))
      const message = alarm.kind === 'turn moves' ? 'a stuck turn moves again' : 'a stuck turn has ended'
      tellOf(alarm, sitting, 'info', message)
      break
    }
    case 'loop wedged':
      tellWedged(alarm.stillMs)
      break
    case 'loop goes round':
      if (directory !== null) removeWedged(directory)
      log('warn', { pid: holder.pid, stillMs: alarm.stillMs }, 'the event loop goes round again')
      port.postMessage(alarm satisfies Told)
  }
}

function tellOf(
  { kind, stillMs }: Extract<Alarm, { turn: TurnSilence }>,
  sitting: Sitting,
  severity: 'info' | 'warn',
  message: string,
): void {
  const { note, ...facts } = sitting // a note is the runner's own words: not for the log
  log(severity, { ...facts, stillMs }, message)
  port.postMessage({ kind, turn: sitting, stillMs } satisfies Told)
}

/** Who moved last is named first: it is what the loop is at, more likely than the others. */
function tellWedged(stillMs: number): void {
  const turns = [...(view?.turns ?? [])].sort((one, other) => other.sinceMs - one.sinceMs)
  const running = turns.slice(0, namedMax.file).flatMap((turn) => {
    const sitting = board.whoIs(turn)
    return sitting === null ? [] : [{ ...sitting, stillMs: (view as View).atMs - turn.sinceMs }]
  })
  const sinceMs = Math.round(systemClock.nowMs()) - stillMs
  const more = turns.length - running.length
  if (directory !== null) writeWedged(directory, { process: holder, sinceMs, running, more })
  const named = running.slice(0, namedMax.line).map(({ turnId, sessionKey, lane }) => ({ turnId, sessionKey, lane }))
  const facts = {
    pid: holder.pid,
    stillMs,
    since: new Date(sinceMs).toISOString(),
    turns: turns.length,
    running: named,
  }
  log('error', facts, 'the event loop is wedged: nothing is answered until it goes round again')
  port.postMessage({ kind: 'loop wedged', stillMs, turns: turns.length } satisfies Told)
}

function log(severity: 'info' | 'warn' | 'error', facts: object, msg: string): void {
  if (levelNumbers[severity] < levelNumbers[level]) return
  const time = new Date(systemClock.nowMs()).toISOString()
  lines.push(JSON.stringify({ level: levelNumbers[severity], time, ...facts, msg }))
  if (lines.length > linesMax) lines.shift()
}

function writeLines(): void {
  while (lines[0] !== undefined && writeErrorLine(lines[0])) lines.shift()
}

function look(): void {
  const seen = planAlarms(view, board.read(Math.round(systemClock.steadyMs())), board.limits)
  view = seen.view
  for (const alarm of seen.alarms) tell(alarm)
  writeLines()
}

if (directory !== null) removeWedged(directory) // of an earlier process
do look()
while (!board.waited(lookEveryMs))
look() // what was told of has ended
if (directory !== null) removeWedged(directory)
port.close()
