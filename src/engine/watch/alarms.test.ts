import { describe, expect, it } from 'vitest'
import { lookEveryMs, planAlarms, type Seat, type View } from './alarms.ts'

const limits = { stuckAfterMs: 10_000, wedgedAfterMs: 3_000 }

/** Looks once a second; gives what was told as `kind slot at`. */
function watcher() {
  let view: View | null = null
  let atMs = 0
  let beats = 0
  const seats = new Map<number, Seat>()
  const told: string[] = []
  return {
    told,
    sit: (slot: number) => seats.set(slot, { slot, of: (seats.get(slot)?.of ?? -1) + 2, moves: 0 }),
    leave: (slot: number) => seats.delete(slot),
    move: (slot: number) => {
      const seat = seats.get(slot) as Seat
      seats.set(slot, { ...seat, moves: seat.moves + 1 })
    },
    /** So many looks; `loop` says whether it goes round. */
    look(times: number, { loop = true, afterMs = lookEveryMs, each = () => {} } = {}) {
      for (let time = 0; time < times; time += 1) {
        atMs += afterMs
        if (loop) beats += 1
        each()
        const result = planAlarms(view, { atMs, beats, turns: [...seats.values()] }, limits)
        view = result.view
        for (const alarm of result.alarms) {
          told.push(`${alarm.kind}${'turn' in alarm ? ` ${alarm.turn.slot}` : ''} ${alarm.stillMs / 1_000}s`)
        }
      }
    },
  }
}

describe('a turn', () => {
  it('that shows signs of life is never called stuck, however long it takes', () => {
    const { told, sit, move, look } = watcher()
    sit(0)
    look(10_000, { each: () => move(0) })
    expect(told).toEqual([])
  })
  it('that is silent is told of once, at the limit, and once that it moves again', () => {
    const { told, sit, move, look } = watcher()
    sit(0)
    look(10)
    expect(told).toEqual([])
    look(1)
    expect(told).toEqual(['turn stuck 0 10s'])
    look(100)
    expect(told).toHaveLength(1)
    move(0)
    look(1)
    expect(told).toEqual(['turn stuck 0 10s', 'turn moves 0 111s'])
    look(11)
    expect(told.slice(2)).toEqual(['turn stuck 0 10s'])
  })
  it('is stuck whatever others do meanwhile', () => {
    const { told, sit, move, leave, look } = watcher()
    sit(0)
    for (let round = 0; round < 4; round += 1) {
      sit(1)
      look(4, { each: () => move(1) })
      leave(1)
    }
    expect(told).toEqual(['turn stuck 0 10s'])
  })
  it('that takes the place of a silent one begins anew, and the silent one has ended', () => {
    const { told, sit, look } = watcher()
    sit(0)
    look(15)
    sit(0)
    look(9)
    expect(told).toEqual(['turn stuck 0 10s', 'turn ended 0 15s'])
  })
  it('that leaves is told to have ended when it was called stuck, and not otherwise', () => {
    const { told, sit, leave, look } = watcher()
    sit(0)
    look(12)
    sit(1)
    look(2)
    leave(0)
    leave(1)
    look(2)
    expect(told).toEqual(['turn stuck 0 10s', 'turn ended 0 14s'])
  })
  it('is not blamed for the time in which the event loop stood still', () => {
    const { told, sit, look } = watcher()
    sit(0)
    look(6)
    look(20, { loop: false })
    look(4)
    expect(told.filter((line) => line.startsWith('turn'))).toEqual([])
    look(1)
    expect(told.at(-1)).toBe('turn stuck 0 10s')
  })
})

describe('an event loop', () => {
  it('that stands still is told of once, at the limit, and once when it goes round again', () => {
    const { told, look } = watcher()
    look(5)
    look(2, { loop: false })
    expect(told).toEqual([])
    look(10, { loop: false })
    expect(told).toEqual(['loop wedged 3s'])
    look(3)
    expect(told).toEqual(['loop wedged 3s', 'loop goes round 13s'])
  })
  it('that only hesitates is not told of', () => {
    const { told, look } = watcher()
    for (let round = 0; round < 50; round += 1) {
      look(2, { loop: false })
      look(1)
    }
    expect(told).toEqual([])
  })
})

describe('a sleep of the whole process', () => {
  it('is nobody’s fault, whether it comes once or again and again', () => {
    const { told, sit, look } = watcher()
    sit(0)
    look(9)
    look(1, { afterMs: 3_600_000, loop: false })
    look(8)
    look(1, { afterMs: 5_000, loop: false })
    look(9)
    expect(told).toEqual([])
  })
  it('does not end a silence that was told', () => {
    const { told, sit, look } = watcher()
    sit(0)
    look(11)
    look(1, { afterMs: 60_000 })
    look(30)
    expect(told).toEqual(['turn stuck 0 10s'])
  })
})
