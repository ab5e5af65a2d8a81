import { describe, expect, it } from 'vitest'
import { ManualClock } from './clock.ts'

describe('the manual clock', () => {
  it('stands still by itself', () => {
    const clock = new ManualClock(5_000)
    expect([clock.nowMs(), clock.steadyMs(), clock.sleeping, clock.nextWakeMs]).toEqual([5_000, 0, 0, null])
  })

  it('wakes a sleeper at its millisecond and not before', async () => {
    const clock = new ManualClock()
    let awake = false
    const nap = clock.sleep(100).then(() => {
      awake = true
    })
    await clock.advance(99)
    expect([awake, clock.nextWakeMs]).toEqual([false, 1])
    await clock.advance(1)
    expect(awake).toBe(true)
    await nap
  })

  it('lets a loop go round once for each of its sleeps', async () => {
    const clock = new ManualClock(0)
    const seen: number[] = []
    const loop = async () => {
      while (seen.length < 10) {
        await clock.sleep(10)
        seen.push(clock.nowMs())
      }
    }
    const done = loop()
    await clock.advance(100)
    await done
    expect(seen).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
  })

  it('wakes sleepers in the order of their times, and of their calls when equal', async () => {
    const clock = new ManualClock()
    const seen: string[] = []
    const naps = [30, 10, 20, 10].map((ms, index) => clock.sleep(ms).then(() => seen.push(`${ms}/${index}`)))
    await clock.advance(30)
    await Promise.all(naps)
    expect(seen).toEqual(['10/1', '10/3', '20/2', '30/0'])
  })

  it('leaps over the ends of sleeps, which all end late', async () => {
    const clock = new ManualClock(0)
    const seen: string[] = []
    const loop = async () => {
      while (clock.nowMs() < 200) {
        await clock.sleep(10)
        seen.push(`loop ${clock.nowMs()}`)
      }
    }
    const later = clock.sleep(150).then(() => seen.push('later'))
    const done = loop()
    await clock.leap(100)
    expect(seen).toEqual(['loop 100'])
    await clock.leap(100)
    await Promise.all([later, done])
    expect(seen).toEqual(['loop 100', 'loop 200', 'later'])
    expect([clock.steadyMs(), clock.sleeping]).toEqual([200, 0])
  })

  it('rejects with the reason of its signal, and forgets the sleeper', async () => {
    const clock = new ManualClock()
    const stop = new AbortController()
    const nap = clock.sleep(100, stop.signal)
    stop.abort(new Error('enough'))
    await expect(nap).rejects.toThrow('enough')
    await expect(clock.sleep(100, stop.signal)).rejects.toThrow('enough')
    expect(clock.sleeping).toBe(0)
  })

  it('jumps the wall alone', async () => {
    const clock = new ManualClock(1_000_000)
    const nap = clock.sleep(10)
    clock.jumpWall(-500_000)
    expect([clock.nowMs(), clock.steadyMs(), clock.sleeping]).toEqual([500_000, 0, 1])
    await clock.advance(10)
    await nap
    expect(clock.nowMs()).toBe(500_010)
  })
})
