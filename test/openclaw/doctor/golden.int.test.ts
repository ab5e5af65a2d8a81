import { chmodSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cronRuns, people } from '../crowd.ts'
import type { HomePlan } from '../plans.ts'
import { Ground, unpackFixture } from '../unpack.ts'
import { dayMs, homeIn, nobody, seen } from './scenes.ts'

const golden = (scenario: string) => new URL(`../../cli/golden/doctor-${scenario}.txt`, import.meta.url).pathname

async function expectGolden(scenario: string, plan: HomePlan): Promise<void> {
  using ground = new Ground()
  homeIn(ground, plan)
  const { text } = await seen(ground, 'doctor --home home')
  await expect(text).toMatchFileSnapshot(golden(scenario))
}

const hourMs = dayMs / 24
const talks = people(20, { days: 4 })

describe('a doctor looks at a home', () => {
  it('that is healthy, and says so', () =>
    expectGolden('healthy', {
      agents: [{ id: 'main', sessions: talks, leftovers: [{ kind: 'reset', ageMs: hourMs }] }],
    }))

  it('whose index is empty over thousands of transcripts', () =>
    expectGolden('empty-index', { agents: [{ id: 'main', sessions: people(2_000), index: '' }] }))

  it('whose index of 42 MB is one field, over and over', () => {
    const sessions = people(1_035, { days: 4 }).map((each) => ({ ...each, reportBytes: 37_000, snapshotBytes: 4_500 }))
    return expectGolden('heavy-index', { agents: [{ id: 'main', sessions }] })
  })

  it('that holds 100 sessions over six days, an 8.7 MB thread and 18 deleted transcripts', () => {
    const old = people(100, { days: 24 }).map((each, at) => ({ ...each, ageMs: (6 + (at % 18)) * dayMs }))
    const thread = { key: 'agent:main:slack:channel:c1:thread:1712345678.000100', bytes: 8.7 * 1024 ** 2, topic: '1' }
    const leftovers = Array.from({ length: 18 }, (_, at) => ({ kind: 'deleted' as const, ageMs: (2 + at) * dayMs }))
    return expectGolden('three-tiers', { agents: [{ id: 'main', sessions: [...old, thread], leftovers }] })
  })

  it('with 181 locks of a process that has ended', () => {
    const sessions = people(181, { days: 4 })
    const locks = sessions.map(({ key }, at) => ({ of: key, pid: nobody, ageMs: (at + 1) * hourMs }))
    return expectGolden('dead-locks', { agents: [{ id: 'main', sessions, locks }] })
  })

  it('before a restart that would resume 66 sessions of three agents', () => {
    const agents = ['main', 'work', 'home'].map((id, at) => ({
      id,
      sessions: people(22, { agentId: id, days: at === 2 ? 9 : 1, seed: at + 1 }).map((each) => {
        return { ...each, status: 'running' as const, entry: { abortedLastRun: true } }
      }),
    }))
    return expectGolden('resumes', { agents })
  })

  it('of a scheduler that nobody cleans up after', () =>
    expectGolden('cron-runs', {
      config: { cron: { sessionRetention: '36h' } },
      agents: [{ id: 'main', sessions: [...talks, ...cronRuns(308)] }],
    }))

  it('of which everybody may read what people say', async () => {
    using ground = new Ground()
    const home = homeIn(ground, { agents: [{ id: 'main', sessions: talks }] })
    chmodSync(ground.root, 0o755)
    for (const each of [`${ground.root}/home`, home.dir, `${home.dir}/agents`, `${home.dir}/agents/main`])
      chmodSync(each, 0o755)
    chmodSync(home.sessionsDir('main'), 0o777)
    for (const { path } of home.sessions) chmodSync(path, 0o644)
    const { text } = await seen(ground, 'doctor --home home')
    await expect(text).toMatchFileSnapshot(golden('open'))
  })

  it.each(['2026.5.18', '2026.9.6'] as const)('that %s wrote and was killed over', async (version) => {
    using ground = new Ground()
    unpackFixture(version, ground.root)
    const { text } = await seen(ground, `doctor --home home-${version}`)
    await expect(text).toMatchFileSnapshot(golden(version))
  })
})

describe('the way to the answer', () => {
  it('is told by help', async () => {
    using ground = new Ground()
    const texts = [await seen(ground, 'doctor --help'), await seen(ground, 'report --help')].map(({ text }) => text)
    await expect(texts.join('\n')).toMatchFileSnapshot(golden('help'))
  })

  it('is told where there is no home, or one of several is none', async () => {
    using ground = new Ground()
    homeIn(ground, { agents: [{ id: 'main', sessions: talks }] })
    const lines = [
      'doctor',
      'doctor --home nowhere',
      'doctor --home nowhere --home home',
      'doctor --home home --agent x',
    ]
    const texts = [...lines, 'doctor --home nowhere --json', 'report --html --markdown'].map((line) =>
      seen(ground, line),
    )
    const all = (await Promise.all(texts)).map(({ text }) => text)
    await expect(all.join('\n')).toMatchFileSnapshot(golden('nowhere'))
  })
})

describe('a report', () => {
  it('is what the doctor found, in Markdown, without what keys tell of people', async () => {
    using ground = new Ground()
    const [first, second, ...more] = people(20, { days: 4 })
    const sessions = [{ ...first, transcript: false }, { ...second, bound: false }, ...more] as typeof more
    homeIn(ground, {
      agents: [{ id: 'main', sessions, locks: [{ of: more[0]?.key ?? '', pid: nobody, ageMs: dayMs }] }],
    })
    const { text } = await seen(ground, 'report --home home --home nowhere --mask')
    await expect(text).toMatchFileSnapshot(golden('report'))
  })
})
