import { copyFileSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildHome } from '../../../../test/openclaw/build.ts'
import { people } from '../../../../test/openclaw/crowd.ts'
import { Ground, unpackFixture } from '../../../../test/openclaw/unpack.ts'
import type { AgentHome } from '../../home/home.ts'
import { kindOfName } from '../../home/names.ts'
import { parseIndex } from '../parse.ts'
import { collectRebuild } from './collect.ts'
import { planRebuild } from './plan.ts'

const nowMs = Date.parse('2026-11-26T12:00:00Z')

function agentAt(dir: string, id = 'main'): AgentHome {
  const sessionsDir = join(dir, 'agents', id, 'sessions')
  return { id, sessionsDir, indexPath: join(sessionsDir, 'sessions.json'), databasePath: null }
}

/** A real home, its index (agent main) and what comes back after `damage`. */
async function after(damage: (agent: AgentHome) => void, { id = 'main', moved = true } = {}) {
  using ground = new Ground()
  const { dir } = unpackFixture('2026.5.18', ground.root, { moved })
  const agent = agentAt(dir, id)
  const before = readFileSync(agent.indexPath, 'utf8')
  damage(agent)
  const plan = planRebuild(await collectRebuild(agent, dir, nowMs))
  const transcripts = readdirSync(agent.sessionsDir).filter((name) => kindOfName(name).kind === 'transcript').length
  return {
    before,
    plan,
    transcripts,
    rebuilt: plan.text === null ? {} : JSON.parse(plan.text),
    original: JSON.parse(before),
  }
}

describe('the index of a real home', () => {
  it('comes back to the byte when it was whole', async () => {
    const { plan, before } = await after(() => {})
    expect(plan.text).toBe(before)
  })
  it('comes back with every entry that is whole when it was cut short, and not one byte of those is another', async () => {
    const { plan, before, rebuilt, original } = await after(({ indexPath }) => truncateSync(indexPath, 100_000))
    const whole = Object.keys(original).filter((key) => {
      const at = before.indexOf(`\n  ${JSON.stringify(key)}: {`)
      return Buffer.byteLength(before.slice(0, before.indexOf('\n  }', at) + 4)) <= 100_000
    })
    expect(whole.length).toBeGreaterThan(5)
    expect(whole.length).toBeLessThan(Object.keys(original).length)
    for (const key of whole) expect(rebuilt[key]).toEqual(original[key])
    const fromIndex = plan.entries.filter(({ origin }) => origin.from === 'index')
    expect(fromIndex.map(({ key }) => key)).toEqual(whole)
    expect(before.startsWith(plan.text?.slice(0, 90_000) ?? 'nothing')).toBe(true)
  })
  it('comes back without the one entry that zeros lie on', async () => {
    const { rebuilt, original } = await after(({ indexPath }) => {
      const bytes = readFileSync(indexPath)
      const at = bytes.indexOf('"agent:main:main": {') + 500
      writeFileSync(indexPath, bytes.fill(0, at, at + 4_096))
    })
    const { 'agent:main:main': _, ...others } = original
    const { 'agent:main:main': __, ...back } = rebuilt
    for (const [key, value] of Object.entries(others)) expect(back[key]).toEqual(value)
  })
  it.each([true, false])(
    'comes back as far as other files tell when nothing of it is left (moved: %s)',
    async (moved) => {
      const { plan, rebuilt, original, transcripts } = await after(({ indexPath }) => writeFileSync(indexPath, ''), {
        moved,
      })
      const origins = Object.fromEntries(plan.entries.map(({ key, origin }) => [key, origin.from]))
      expect(origins).toEqual({
        'agent:main:discord:channel:900000000000000007': 'trajectory',
        'agent:main:telegram:direct:40382952': 'transcript',
        'agent:main:cron:9ee47be4-7f54-43da-bab8-bc5d7b3ac448': 'cron-run',
      })
      for (const key of Object.keys(rebuilt)) expect(rebuilt[key].sessionId).toBe(original[key].sessionId)
      expect(plan.entries.length + plan.unbound.length).toBe(transcripts)
      expect(plan.copies).toEqual([{ name: 'sessions.json', entries: 0, usable: 0, because: 'it is empty (0 bytes)' }])
    },
  )
  it('comes back from a copy whose name says nothing, and not from a newer one that is empty', async () => {
    const { rebuilt, original, plan } = await after((agent) => {
      copyFileSync(agent.indexPath, join(agent.sessionsDir, 'sessions.json.before-update'))
      writeFileSync(join(agent.sessionsDir, 'sessions.json.bak.1795243353000'), '{}')
      rmSync(agent.indexPath)
    })
    expect(rebuilt).toEqual(expect.objectContaining(original))
    expect(plan.copies[0]).toEqual({ name: 'sessions.json.before-update', entries: 17, usable: 17, because: null })
  })
  it('of another agent is not mixed in', async () => {
    const { rebuilt } = await after(({ indexPath }) => writeFileSync(indexPath, '\0\0'), { id: 'work' })
    expect(Object.keys(rebuilt)).toEqual(['agent:work:main'])
  })
})

describe('a large home', () => {
  it('gets its index of 500 sessions back from the copy that has them', async () => {
    using ground = new Ground()
    const home = buildHome(join(ground.root, 'home'), { nowMs, agents: [{ id: 'main', sessions: people(500) }] })
    const agent = agentAt(home.dir)
    const text = readFileSync(agent.indexPath, 'utf8')
    writeFileSync(join(agent.sessionsDir, 'sessions.json.bak.1'), text)
    writeFileSync(agent.indexPath, text.slice(0, 1_000))
    const plan = planRebuild(await collectRebuild(agent, home.dir, nowMs))
    expect(plan.entries).toHaveLength(500)
    expect(plan.unbound).toEqual([])
    expect(JSON.parse(plan.text ?? '')).toEqual(JSON.parse(text))
    expect(parseIndex(Buffer.from(plan.text ?? '')).members).toHaveLength(500)
  })
})

describe('a hostile home', () => {
  it('has nothing outside of it read for a copy, and files that are none tell nothing', async () => {
    using ground = new Ground()
    const home = buildHome(join(ground.root, 'home'), {
      nowMs,
      agents: [{ id: 'main', index: '', sessions: people(1) }],
    })
    const agent = agentAt(home.dir)
    writeFileSync(join(ground.root, 'outside'), JSON.stringify({ 'agent:main:stolen': { sessionId: 'x' } }))
    symlinkSync(join(ground.root, 'outside'), join(agent.sessionsDir, 'sessions.json.bak.1'))
    symlinkSync(join(ground.root, 'outside'), join(agent.sessionsDir, 'sessions.json.tmp'))
    const facts = await collectRebuild(agent, home.dir, nowMs)
    expect(facts.copies.map(({ name }) => name)).toEqual(['sessions.json'])
    expect(planRebuild(facts)).toMatchObject({ text: null, unbound: [{}] })
  })
})
