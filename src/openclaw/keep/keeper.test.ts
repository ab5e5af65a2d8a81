import { describe, expect, it } from 'vitest'
import { silentLog } from '../../host/log.ts'
import { HoldfastError } from '../../model/errors.ts'
import { ManualClock } from '../../testing/clock.ts'
import type { Alert, Cause } from './alerts.ts'
import type { KeeperTask, LastRuns } from './due.ts'
import { Keeper, type KeeperOptions, type TaskReport } from './keeper.ts'

const minuteMs = 60_000
const nothing: TaskReport = { steps: [], manifest: null, causes: [] }
const overdue: Cause = { code: 'LOCK_OVERDUE', home: '/a', subject: '/a/x.lock', text: 'held for 12 minutes' }

function scene(task: (home: string, name: KeeperTask) => TaskReport | Promise<TaskReport>, homes = ['/a']) {
  const clock = new ManualClock()
  const calls: string[] = []
  const alerts: Alert[] = []
  const memory = new Map<string, LastRuns>()
  const act = (name: KeeperTask) => async (home: string) => {
    calls.push(`${name} ${home}`)
    return await task(home, name)
  }
  const options: KeeperOptions = {
    homes,
    paces: {
      locks: { everyMs: 5 * minuteMs },
      clean: { everyMs: 360 * minuteMs },
      archives: { everyMs: 1_440 * minuteMs },
    },
    tasks: { locks: act('locks'), clean: act('clean'), archives: act('archives') },
    clock,
    log: silentLog,
    tell: async (alert) => void alerts.push(alert),
    remember: { read: (home) => memory.get(home) ?? {}, write: (home, runs) => void memory.set(home, runs) },
  }
  return { clock, calls, alerts, options }
}

async function kept(options: KeeperOptions, act: (keeper: Keeper) => Promise<void>): Promise<Keeper> {
  const stop = new AbortController()
  const keeper = new Keeper(options)
  const going = keeper.keep(stop.signal)
  await new Promise((resolve) => setImmediate(resolve)) // it has done what was due
  await act(keeper)
  stop.abort()
  await going
  return keeper
}

describe('a keeper', () => {
  it('does everything at its start, then each task at its own pace', async () => {
    const { clock, calls, options } = scene(() => nothing)
    await kept(options, () => clock.advance(16 * minuteMs))
    expect(calls).toEqual(['locks /a', 'clean /a', 'archives /a', 'locks /a', 'locks /a', 'locks /a'])
  })
  it('looks at locks at once when it is hurried', async () => {
    const { clock, calls, options } = scene(() => nothing)
    await kept(options, async (keeper) => {
      await clock.advance(1_000)
      keeper.hurry('/a')
      keeper.hurry('/not ours')
      await clock.advance(1_000)
    })
    expect(calls.slice(3)).toEqual(['locks /a'])
  })
  it('goes on with the other homes when one fails, and tells it once', async () => {
    const failing = (home: string) => {
      if (home === '/a') throw new HoldfastError('HOME_UNREADABLE', { because: 'EACCES' })
      return nothing
    }
    const { clock, calls, alerts, options } = scene(failing, ['/a', '/b'])
    const keeper = await kept(options, () => clock.advance(11 * minuteMs))
    expect(calls.filter((call) => call === 'locks /b')).toHaveLength(3)
    expect(alerts.map(({ code, state }) => `${code} ${state}`)).toEqual([
      'LOCKS_FAILED raised',
      'CLEAN_FAILED raised',
      'ARCHIVES_FAILED raised',
    ])
    expect(keeper.status.get('/a')?.tasks.locks).toMatchObject({ runs: 3, failures: 3, lastOk: false })
  })
  it('tells a cause once while it lasts, and that it is over', async () => {
    let causes = [overdue]
    const { clock, alerts, options } = scene((_, name) => (name === 'locks' ? { ...nothing, causes } : nothing))
    await kept(options, async () => {
      await clock.advance(11 * minuteMs)
      causes = []
      await clock.advance(5 * minuteMs)
    })
    expect(alerts.map(({ state, subject }) => `${state} ${subject}`)).toEqual(['raised /a/x.lock', 'over /a/x.lock'])
  })
  it('does not call a lock over because looking failed', async () => {
    let fails = false
    const { clock, alerts, options } = scene((_, name) => {
      if (name !== 'locks') return nothing
      if (fails) throw new HoldfastError('HOME_UNREADABLE')
      return { ...nothing, causes: [overdue] }
    })
    await kept(options, async () => {
      await clock.advance(minuteMs)
      fails = true
      await clock.advance(5 * minuteMs)
    })
    expect(alerts.map(({ code, state }) => `${code} ${state}`)).toEqual(['LOCK_OVERDUE raised', 'LOCKS_FAILED raised'])
  })
  it('lives on when an alert cannot be delivered', async () => {
    const { clock, calls, options } = scene(() => ({ ...nothing, causes: [overdue] }))
    await kept({ ...options, tell: () => Promise.reject(new Error('no network')) }, () => clock.advance(6 * minuteMs))
    expect(calls).toHaveLength(4)
  })
  it('works at most one part in five of the time', async () => {
    const s = scene(async (_, name) => {
      if (name === 'locks') await s.clock.sleep(10 * minuteMs)
      return nothing
    })
    await kept({ ...s.options, homes: ['/a'] }, () => s.clock.advance(95 * minuteMs))
    expect(s.calls.filter((call) => call === 'locks /a')).toHaveLength(2)
  })
  it('does once what is due, and remembers it for the next time', async () => {
    const { clock, calls, options } = scene(() => nothing)
    await new Keeper(options).once(new AbortController().signal)
    await clock.advance(5 * minuteMs)
    await new Keeper(options).once(new AbortController().signal)
    expect(calls).toEqual(['locks /a', 'clean /a', 'archives /a', 'locks /a'])
  })
})
