import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../../test/engine/opened.ts'
import { systemClock } from '../../host/clock.ts'
import { silentLog } from '../../host/log.ts'
import { currentHolder } from '../../host/process.ts'
import { parseSessionKey } from '../../model/keys.ts'
import type { Turn } from '../../model/turns.ts'
import { EventLog } from '../event-log.ts'
import { resolveSettings } from '../settings.ts'
import { silentTelemetry } from '../telemetry.ts'
import { ThreadLookout } from './lookout.ts'

const turn = (id: string) => ({ id, sessionKey: parseSessionKey('alice'), lane: 'main' }) as Turn
const logged: { facts: object; message: string }[] = []
const stuck: number[] = []
let directory: string
let lookout: ThreadLookout
let events: EventLog
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-lookout-'))
  events = new EventLog('p', systemClock)
  const log = (facts: object, message: string) => void logged.push({ facts, message })
  lookout = new ThreadLookout(
    {
      holder: currentHolder(systemClock.nowMs()),
      settings: resolveSettings({ watch: { stuckAfterMs: 1_000, wedgedAfterMs: 60_000 } }),
      log: { ...silentLog, info: log, warn: log, error: log },
      telemetry: { ...silentTelemetry, turnsStuck: (count) => void stuck.push(count) },
      events,
    },
    directory,
  )
  lookout.open()
})
afterAll(async () => {
  await lookout.close()
  expect(readdirSync(directory)).toEqual([])
  rmSync(directory, { recursive: true })
})

describe('a lookout', () => {
  it('tells a log, the metrics and those who follow events of a silent turn and its end, and no note', async () => {
    const seen: object[] = []
    void (async () => {
      for await (const found of events.subscribe(null)) if ('event' in found) seen.push(found.event)
    })()
    lookout.begin(turn('t1'))
    lookout.moved('t1', 'a secret of the builder')
    await eventually(() => lookout.isStuck('t1'))
    lookout.end('t1')
    await eventually(() => seen.length === 2)
    const ids = { sessionKey: 'agent:main:alice', turnId: 't1', lane: 'main', stillMs: expect.any(Number) }
    expect(seen).toEqual([
      { type: 'turn.stuck', ...ids },
      { type: 'turn.unstuck', ...ids },
    ])
    expect(stuck).toEqual([1, 0])
    expect(logged.map(({ message }) => message)).toEqual(['turn stuck', 'turn ended'])
    expect(JSON.stringify([logged, seen])).not.toContain('secret')
    expect(lookout.isStuck('t1')).toBe(false)
  })
  it('goes by limits that change while it watches', async () => {
    lookout.setLimits({ stuckAfterMs: 86_400_000, wedgedAfterMs: 60_000 })
    lookout.begin(turn('t2'))
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(lookout.isStuck('t2')).toBe(false)
    lookout.setLimits({ stuckAfterMs: 1_000, wedgedAfterMs: 60_000 })
    await eventually(() => lookout.isStuck('t2'))
    lookout.end('t2')
  })
  it('takes what is told of turns that it does not know', () => {
    lookout.moved('nobody', 'x')
    lookout.end('nobody')
  })
})
