import { parseSessionKey, type SessionKey } from '../../src/model/keys.ts'
import { dayMs } from './policy.ts'

type Chance = () => number

/** Conversations of one shape: how many begin each day, how many turns old ones get each day, and who they are. */
interface Habit {
  newPerDay: number
  returnsPerDay: number
  /** The newest ones that are returned to; further back it gets rare. */
  reach: number
  /** Characters of a message at most. */
  lengthMax: number
  name(index: number): string
}

const direct: Habit = {
  newPerDay: 11,
  returnsPerDay: 18,
  reach: 200,
  lengthMax: 900,
  name: (index) => `telegram:direct:${index}`,
}

/** Sessions of jobs (`cron-run`) are begun by the scheduler. */
const habits: readonly Habit[] = [
  { newPerDay: 0.1, returnsPerDay: 6, reach: 12, lengthMax: 600, name: (index) => `agent:a${index % 12}:main` },
  direct,
  { newPerDay: 3, returnsPerDay: 6, reach: 60, lengthMax: 500, name: (index) => `discord:group:${index}` },
  {
    newPerDay: 8,
    returnsPerDay: 4,
    reach: 60,
    lengthMax: 500,
    name: (index) => `slack:channel:c${index % 9}:thread:${index}`,
  },
  { newPerDay: 0.1, returnsPerDay: 2, reach: 12, lengthMax: 200, name: (index) => `cron:watch${index % 12}` },
  { newPerDay: 20, returnsPerDay: 2, reach: 30, lengthMax: 700, name: (index) => `subagent:${index}` },
  { newPerDay: 4, returnsPerDay: 4, reach: 10, lengthMax: 100, name: (index) => `beat${index}:heartbeat` },
  { newPerDay: 9, returnsPerDay: 1, reach: 20, lengthMax: 300, name: (index) => `hook:mail:${index}` },
  { newPerDay: 3, returnsPerDay: 2, reach: 20, lengthMax: 900, name: (index) => `web:${index}` },
]

export interface Saying {
  key: SessionKey
  length: number
}

/** Who says something between two moments, counted from the beginning of the world. New ones are the same whoever asks. */
export function sayings(fromMs: number, toMs: number, scale: number, chance: Chance): Saying[] {
  return habits.flatMap((habit) => {
    const made = (atMs: number) => Math.floor((habit.newPerDay * scale * atMs) / dayMs)
    const [before, after] = [made(fromMs), made(toMs)]
    const indexes = Array.from({ length: after - before }, (_, at) => before + at)
    const returns = habit.returnsPerDay * scale * ((toMs - fromMs) / dayMs)
    for (let left = returns; left > chance(); left -= 1) {
      if (after > 0) indexes.push(Math.max(0, after - 1 - Math.floor(chance() ** 3 * habit.reach)))
    }
    return indexes.map((index) => ({
      key: parseSessionKey(habit.name(index)),
      length: Math.ceil(chance() * habit.lengthMax * (isStormy(toMs) ? 8 : 1)),
    }))
  })
}

/** Whatever is said here ends the process that runs it. */
export const isPoison = (key: SessionKey): boolean => /:subagent:\d*[05]33$/.test(key)

/** A week in which everybody writes at length: the disk budget is for it. */
const isStormy = (atMs: number): boolean => Math.floor(atMs / dayMs) % 50 >= 43

/** One of the newest conversations with a person. */
export function someDirect(atMs: number, scale: number, chance: Chance): SessionKey {
  const newest = Math.floor((direct.newPerDay * scale * atMs) / dayMs)
  return parseSessionKey(direct.name(Math.max(0, newest - Math.floor(chance() * 60))))
}

const letters = 'abcdefghijklmnopqrstuvwxyz      '

/** Words that hardly compress, so that archives have a size. */
export function filler(length: number, chance: Chance): string {
  let text = ''
  while (text.length < length) {
    let bits = Math.floor(chance() * 2 ** 30)
    for (let count = 0; count < 6; count += 1) {
      text += letters[bits & 31]
      bits >>>= 5
    }
  }
  return text.slice(0, length)
}
