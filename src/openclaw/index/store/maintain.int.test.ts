import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildHome } from '../../../../test/openclaw/build.ts'
import type { SessionPlan } from '../../../../test/openclaw/plans.ts'
import { Ground } from '../../../../test/openclaw/unpack.ts'
import { systemClock } from '../../../host/clock.ts'
import type { AgentHome } from '../../home/home.ts'
import { defaultHomePolicy, type HomePolicy } from '../../home/policy.ts'
import type { ArchiveItem, Upkept } from './maintain.ts'
import { openIndexStore } from './store.ts'

const dayMs = 24 * 3_600_000
const key = (name: string) => `agent:main:telegram:direct:${name}`

/** A home with these sessions, and an archive that is a folder beside it. */
class Kept extends Ground {
  readonly agent: AgentHome
  readonly policy: HomePolicy
  readonly store: ReturnType<typeof openIndexStore>
  readonly told: (Upkept | { failed: unknown })[] = []
  readonly archived: ArchiveItem[] = []
  beforeArchive = () => {}
  refused = ''

  constructor(sessions: SessionPlan[], rules: Partial<HomePolicy> = {}) {
    super()
    const dir = join(this.root, 'home')
    const { sessionsDir } = buildHome(dir, { agents: [{ id: 'main', sessions }] })
    mkdirSync(join(this.root, 'archive'))
    this.policy = { ...defaultHomePolicy, mode: 'enforce', ...rules }
    this.agent = {
      id: 'main',
      sessionsDir: sessionsDir('main'),
      indexPath: join(sessionsDir('main'), 'sessions.json'),
      databasePath: null,
    }
    const keeping = {
      ...this.keeping,
      everyMs: 60_000,
      told: (outcome: Upkept | { failed: unknown }) => this.told.push(outcome),
    }
    this.store = openIndexStore(this.agent, dir, { clock: systemClock, keeping })
  }

  get keeping() {
    const { agent, policy, archived } = this
    return {
      policy,
      around: async () => {
        const names = readdirSync(agent.sessionsDir)
        const written = (name: string): [string, number] => [name, statSync(join(agent.sessionsDir, name)).mtimeMs]
        return {
          transcripts: new Map(names.filter((name) => name.endsWith('.jsonl')).map(written)),
          busy: new Set<string>(),
          backups: names.filter((name) => name.includes('.bak.')),
        }
      },
      archive: async (items: readonly ArchiveItem[]) => {
        this.beforeArchive()
        archived.push(...items)
        const taken = items.filter((item) => item.key !== this.refused).map(({ name }) => name)
        for (const name of taken) renameSync(join(agent.sessionsDir, name), join(this.root, 'archive', name))
        return new Set(taken)
      },
    }
  }

  get index(): Record<string, { sessionId: string }> {
    return JSON.parse(readFileSync(this.agent.indexPath, 'utf8'))
  }
}

const old = [{ key: key('old'), ageMs: 9 * dayMs }, { key: key('new') }]

describe('upkeep', () => {
  it('takes out an entry and its transcript together, and leaves the rest to the byte', async () => {
    using kept = new Kept(old)
    const { [key('old')]: gone, ...rest } = kept.index
    const outcome = await kept.store.maintain(kept.keeping)
    expect(outcome.pruned).toMatchObject([{ key: key('old'), transcript: `${gone?.sessionId}.jsonl` }])
    expect(readFileSync(kept.agent.indexPath, 'utf8')).toBe(JSON.stringify(rest, null, 2))
    expect(readdirSync(join(kept.root, 'archive'))).toEqual([`${gone?.sessionId}.jsonl`])
    expect((await kept.store.maintain(kept.keeping)).plan).toEqual({ prune: [], rotate: null })
  })
  it.each(['warn', 'off'] as const)('changes nothing in the mode %s', async (mode) => {
    using kept = new Kept(old, { mode })
    const before = readFileSync(kept.agent.indexPath)
    const outcome = await kept.store.maintain(kept.keeping)
    expect(outcome.pruned).toEqual([])
    expect(outcome.plan.prune).toHaveLength(mode === 'warn' ? 1 : 0)
    expect(readFileSync(kept.agent.indexPath)).toEqual(before)
  })
  it('brings back an entry whose transcript could not be taken', async () => {
    using kept = new Kept(old)
    const before = kept.index
    kept.refused = key('old')
    expect((await kept.store.maintain(kept.keeping)).pruned).toEqual([])
    expect(kept.index).toEqual(before)
  })
  it('does not bring it back over a new one', async () => {
    using kept = new Kept(old)
    kept.refused = key('old')
    kept.beforeArchive = () => {
      writeFileSync(kept.agent.indexPath, JSON.stringify({ ...kept.index, [key('old')]: { sessionId: 'fresh' } }))
    }
    await kept.store.maintain(kept.keeping)
    expect(kept.index[key('old')]?.sessionId).toBe('fresh')
  })
  it('copies an index over its size beside itself, and takes out what a gateway makes anew', async () => {
    const sessions = Array.from({ length: 4 }, (_, at) => ({
      key: key(`${at}`),
      snapshotBytes: 3_200,
      reportBytes: 2_200,
    }))
    using kept = new Kept(sessions, { indexRotateBytes: 10_000, indexBackupsKept: 1 })
    writeFileSync(`${kept.agent.indexPath}.bak.5`, '{}')
    const before = readFileSync(kept.agent.indexPath, 'utf8')
    expect((await kept.store.maintain(kept.keeping)).rotated).toBe(true)
    const lean = JSON.parse(before, (field, value) =>
      /^(skillsSnapshot|systemPromptReport)$/.test(field) ? undefined : value,
    )
    expect(readFileSync(kept.agent.indexPath, 'utf8')).toBe(JSON.stringify(lean, null, 2))
    const [copy = ''] = readdirSync(kept.agent.sessionsDir).filter((name) => name.includes('.bak.'))
    expect(readFileSync(join(kept.agent.sessionsDir, copy), 'utf8')).toBe(before)
    expect(kept.archived).toMatchObject([{ name: 'sessions.json.bak.5', key: null }])
  })
  it('follows a change when it is due, and its failure fails no change', async () => {
    using kept = new Kept([{ key: key('old'), ageMs: 9 * dayMs }])
    kept.beforeArchive = () => {
      throw new RangeError('no archive today')
    }
    const add = (name: string) =>
      kept.store.update(() => [{ key: key(name), before: null, after: '{"sessionId":"x"}' }])
    await add('one')
    expect(kept.told).toEqual([{ failed: new RangeError('no archive today') }])
    await add('two')
    expect(kept.told).toHaveLength(1)
    expect(Object.keys(kept.index).sort()).toEqual([key('old'), key('one'), key('two')].sort())
  })
})
