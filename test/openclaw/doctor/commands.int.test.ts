import { appendFileSync, chmodSync, copyFileSync, truncateSync, utimesSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { isCommand } from '../../../src/cli/homes/doctor-lines.ts'
import { findingCatalog } from '../../../src/openclaw/doctor/catalog.ts'
import type { Finding } from '../../../src/openclaw/doctor/finding.ts'
import { shellWords } from '../../../src/openclaw/survey/scheduled.ts'
import { holdfast } from '../../cli/program.ts'
import { cronRuns, people } from '../crowd.ts'
import type { HomePlan, SessionPlan } from '../plans.ts'
import { Ground, unpackFixture } from '../unpack.ts'
import { dayMs, homeIn, nobody } from './scenes.ts'

const hourMs = dayMs / 24

async function run(ground: Ground, words: string[]) {
  return await holdfast(words, { cwd: ground.root, env: { HOME: ground.root, PATH: '' } })
}

async function found(ground: Ground, dir: string): Promise<Finding[]> {
  const { stdout } = await run(ground, ['doctor', '--home', dir, '--json'])
  return JSON.parse(stdout).homes[0].findings
}

/** Runs the command of each finding that should be ended, once, and looks again. */
async function followAdvice(ground: Ground, dir: string): Promise<{ before: string[]; after: string[] }> {
  const before = (await found(ground, dir)).filter(({ severity }) => severity !== 'note')
  const commands = new Set(before.map(({ fix }) => fix).filter((fix) => fix.startsWith('holdfast ')))
  for (const fix of commands) {
    const { stderr } = await run(ground, shellWords(fix).slice(1))
    expect({ fix, stderr }).toEqual({ fix, stderr: '' })
  }
  const after = (await found(ground, dir)).filter(({ severity }) => severity !== 'note')
  return { before: before.map(({ code }) => code), after: after.map(({ code }) => code) }
}

const few = people(6, { days: 4 })
const [one] = few as [SessionPlan]

const plans: Record<string, HomePlan> = {
  LOCK_DEAD: { agents: [{ id: 'main', sessions: few, locks: [{ of: one.key, pid: nobody, ageMs: dayMs }] }] },
  LOCK_MALFORMED: {
    agents: [{ id: 'main', sessions: few, locks: [{ of: one.key, pid: 0, ageMs: dayMs, text: 'x' }] }],
  },
  INDEX_LARGE: {
    agents: [{ id: 'main', sessions: people(300, { days: 4 }).map((each) => ({ ...each, reportBytes: 40_000 })) }],
  },
  INDEX_CROWDED: {
    agents: [{ id: 'main', sessions: people(1_100, { days: 4 }).filter(({ key }) => /direct|user/.test(key)) }],
  },
  CRON_RUNS_STALE: { agents: [{ id: 'main', sessions: [...few, ...cronRuns(60)] }] },
  TRANSCRIPT_WITHOUT_ENTRY: {
    agents: [{ id: 'main', sessions: [...few, { key: 'x', bound: false, ageMs: 9 * dayMs }] }],
  },
  ENTRY_WITHOUT_TRANSCRIPT: {
    agents: [{ id: 'main', sessions: [...few, { key: 'agent:main:direct:x', transcript: false, ageMs: 40 * dayMs }] }],
  },
  LEFTOVERS: { agents: [{ id: 'main', sessions: few, leftovers: [{ kind: 'deleted', ageMs: 9 * dayMs }] }] },
  TEMPORARIES: { agents: [{ id: 'main', sessions: few, leftovers: [{ kind: 'temporary', ageMs: dayMs }] }] },
  RESUME_BURDEN: {
    agents: [
      { id: 'main', sessions: people(20, { days: 0.9 }).map((each) => ({ ...each, status: 'running' as const })) },
    ],
  },
  RESUME_STALE: {
    agents: [
      { id: 'main', sessions: [...few, { ...one, key: 'agent:main:direct:r', status: 'running', ageMs: 3 * dayMs }] },
    ],
  },
}

describe('what the doctor advises ends what it found', () => {
  it.each(Object.entries(plans))('%s', async (code, plan) => {
    using ground = new Ground()
    homeIn(ground, { nowMs: Date.now(), ...plan })
    const { before, after } = await followAdvice(ground, 'home')
    expect(before).toContain(code)
    expect(after).toEqual([])
  })

  it('TRANSCRIPT_TORN, INVALID, WELDED, UNENDED and others', async () => {
    using ground = new Ground()
    const home = homeIn(ground, { nowMs: Date.now(), agents: [{ id: 'main', sessions: few }] })
    const tails = [
      '{"type":"message","id":"a',
      '{"x"\n',
      '{"type":"custom","id":"p","parentId":null}{"type":"custom","id":"q","parentId":"p"}\n',
      '{"type":"custom","id":"r","parentId":"nobody"}\n',
      '\0\0\0\0\n',
    ]
    for (const [at, tail] of tails.entries()) {
      const path = home.session(few[at]?.key ?? '').path
      appendFileSync(path, tail)
      const atSeconds = (Date.now() - hourMs) / 1_000
      utimesSync(path, atSeconds, atSeconds)
    }
    const { before, after } = await followAdvice(ground, 'home')
    expect(before).toEqual(
      expect.arrayContaining([
        'TRANSCRIPT_TORN',
        'TRANSCRIPT_INVALID',
        'TRANSCRIPT_WELDED',
        'TRANSCRIPT_CHAIN',
        'TRANSCRIPT_ZEROS',
      ]),
    )
    expect(after).toEqual([])
  })

  it('INDEX_EMPTY_OVER_TRANSCRIPTS, from a backup that is there', async () => {
    using ground = new Ground()
    const home = homeIn(ground, { nowMs: Date.now(), agents: [{ id: 'main', sessions: few }] })
    const index = `${home.sessionsDir('main')}/sessions.json`
    copyFileSync(index, `${index}.bak.${Date.now() - hourMs}`)
    truncateSync(index)
    const { before, after } = await followAdvice(ground, 'home')
    expect(before).toEqual(['INDEX_EMPTY_OVER_TRANSCRIPTS'])
    expect(after).toEqual([])
  })

  it('in the home that 2026.5.18 wrote, but for what is too young to go', async () => {
    using ground = new Ground()
    const { dir } = unpackFixture('2026.5.18', ground.root)
    chmodSync(dir, 0o700)
    const { before, after } = await followAdvice(ground, dir)
    expect(before).toEqual(['LOCK_DEAD', 'TRANSCRIPT_WITHOUT_ENTRY', 'RESUME_STALE', 'LEFTOVERS'])
    expect(['TRANSCRIPT_WITHOUT_ENTRY', undefined]).toContain(after[0]) // it goes after five days
    expect(after.length).toBeLessThan(2)
  })
})

it.each(
  Object.entries(findingCatalog)
    .map(([code, { fix }]) => ({ code, fix: fix as string }))
    .filter(({ fix }) => /^(?:sudo )?holdfast /.test(fix)),
)('the command of $code is one that there is: $fix', async ({ fix }) => {
  using ground = new Ground()
  const words = shellWords(fix.replace(/^sudo /, '')).slice(1)
  const options = words.filter((word) => word.startsWith('--'))
  const names = options.length === 0 ? words : words.slice(0, words.indexOf(options[0] as string))
  const { code, stdout } = await run(ground, [...names, '--help'])
  expect(code).toBe(0)
  for (const option of options) expect(stdout).toContain(option)
  expect(isCommand(fix)).toBe(true)
})
