import { describe, expect, it } from 'vitest'
import { planReload } from './changes.ts'
import { type Config, checkConfig } from './read.ts'

const config = (parsed: object): Config => ({ ...checkConfig(parsed, [], null), data: '/data', file: '/f' })
const plan = (before: object, after: object) => planReload(config(before), config(after))

describe('a configuration that is read again', () => {
  it('changes nothing when nothing is different', () => {
    expect(plan({ turns: { grace: '5s' } }, { $schema: 'x' })).toMatchObject({ applied: [], needsRestart: [] })
  })
  it('holds at once where the engine goes by it, key by key', () => {
    const { applied, needsRestart, config } = plan(
      { lanes: { cron: { concurrency: 1 } } },
      { lanes: { cron: { concurrency: 3 } }, turns: { onBusy: 'reject' }, sessions: { kinds: ['main'] } },
    )
    expect(applied.sort()).toEqual(['lanes.cron.concurrency', 'sessions.kinds', 'turns.onBusy'])
    expect(needsRestart).toEqual([])
    expect(config.lanes.cron.concurrency).toBe(3)
  })
  it('names what needs a restart, and goes on with what was', () => {
    const { applied, needsRestart, config } = plan(
      { model: { url: 'http://a/v1', name: 'a' } },
      {
        server: { port: 1 },
        model: { url: 'http://b/v1', name: 'b', contextWindow: 5_000 },
        compaction: { model: { name: 'c' }, concurrency: 4 },
        log: { level: 'debug' },
        store: { diskReserve: '1gb' },
      },
    )
    expect(applied.sort()).toEqual(['compaction.concurrency', 'model.contextWindow'])
    expect(needsRestart.sort()).toEqual([
      'compaction.model.name',
      'log.level',
      'model.name',
      'model.url',
      'server.port',
      'store.diskReserve',
    ])
    expect(config.model).toMatchObject({ url: 'http://a/v1', name: 'a', contextWindow: 5_000 })
  })
  it('is not brought to another data directory', () => {
    const found = { ...config({}), data: '/elsewhere' }
    expect(planReload(config({}), found)).toMatchObject({ needsRestart: ['data'], config: { data: '/data' } })
  })
})
