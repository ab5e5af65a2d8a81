import { describe, expect, it } from 'vitest'
import { direct, indexWith, old, plan, type Scene, short, used } from '../../../../test/openclaw/clean/scene.ts'
import { agentFacts, dayMs, entryFacts, healthyFacts, hourMs, readIndexOf } from '../../../../test/openclaw/facts.ts'
import { planClean } from './plan.ts'

describe('the disk budget', () => {
  const mb = 1024 ** 2
  const sized = (key: string, id: string, ageMs: number): Scene => {
    const scene = used(key, id, ageMs, { bytes: 0 })
    return { ...scene, files: [old(`${id}.jsonl`, ageMs, { bytes: mb })] }
  }
  const both = (...scenes: Scene[]): Scene => ({
    entries: scenes.flatMap(({ entries = [] }) => entries),
    files: scenes.flatMap(({ files = [] }) => files),
  })
  const scene = both(
    sized(direct, 'people', 3 * dayMs),
    sized('agent:main:hook:x', 'errand', dayMs),
    { files: [old('loose.jsonl', 2 * hourMs, { bytes: mb })] },
    sized('agent:main:telegram:group:-1', 'group', 4 * dayMs),
  )
  const under = (maxMb: number, lowMb: number) => ({ diskBudget: { maxBytes: maxMb * mb, lowBytes: lowMb * mb } })
  it('asks for nothing below the high mark', () => expect(short({ ...scene, policy: under(5, 1) })).toEqual([]))
  it('takes what no session needs, then errands, then people, until the low mark is reached', () => {
    expect(short({ ...scene, policy: under(4, 3.1) })).toEqual(['archive-transcript loose.jsonl'])
    expect(short({ ...scene, policy: under(4, 2.1) })).toEqual([
      'drop-entry agent:main:hook:x',
      'archive-transcript errand.jsonl',
      'archive-transcript loose.jsonl',
    ])
    expect(short({ ...scene, policy: under(4, 1.1) })).toHaveLength(5)
  })
  it('says when it cannot be met', () => {
    const { steps, notes } = plan({ ...scene, policy: under(1, 0.5) })
    expect(steps.filter(({ key }) => key?.includes('group'))).toEqual([])
    expect(notes).toEqual([
      'The disk budget of agent main cannot be met: all files take 4.0 MB, the budget is 1.0 MB; what is left takes 1.0 MB and must stay.',
    ])
  })
})

describe('a large index', () => {
  const fields = [
    { field: 'systemPromptReport', entries: 9, bytes: 9_000_000, repeatedBytes: 0 },
    { field: 'skillsSnapshot', entries: 9, bytes: 1_000_000, repeatedBytes: 900_000 },
    { field: 'origin', entries: 9, bytes: 900_000, repeatedBytes: 0 },
  ]
  const indexOf = (bytes: number, weights = fields) =>
    readIndexOf([entryFacts(direct, 'today')], { bytes, fields: weights })
  it('is copied beside itself and loses what the gateway makes anew', () => {
    const { steps } = plan({ agent: { index: indexOf(11_000_000) } })
    expect(steps).toMatchObject([
      {
        kind: 'rotate-index',
        bytes: 10_000_000,
        act: { do: 'slim', fields: ['systemPromptReport', 'skillsSnapshot'] },
        left: null,
      },
    ])
    expect(steps[0]?.because).toBe(
      'it has 10.5 MB, the limit is 10.0 MB; 91 % is systemPromptReport and skillsSnapshot, which the gateway makes anew',
    )
  })
  it('stays at the limit, and where other things make it large', () => {
    expect(short({ agent: { index: indexOf(10 * 1024 ** 2) } })).toEqual([])
    expect(short({ agent: { index: indexOf(11_000_000, fields.slice(2)) } })).toEqual([])
  })
})

describe('what waits', () => {
  const files = [old('x.jsonl', 9 * dayMs)]
  const idle = used(direct, 'a', 9 * dayMs)
  const scene = { ...idle, files: [...files, ...(idle.files ?? [])] }
  const running = { state: 'running', pid: 7, sinceMs: null, proof: '', container: null } as const
  const leftOf = (more: Scene) =>
    plan({ ...scene, ...more }).steps.map(({ path, left }) => [path.split('/').at(-1), left])
  it('is nothing with the gateway down', () => {
    expect(leftOf({}).map(([, left]) => left)).toEqual([null, null, null])
  })
  it('is everything that the index has a part in, while a gateway lives or may live', () => {
    const because = 'the gateway runs (process 7); `holdfast prestart` does it before the next start'
    expect(leftOf({ facts: { gateway: running } })).toEqual([
      ['sessions.json', because],
      ['a.jsonl', because],
      ['x.jsonl', null],
    ])
    expect(leftOf({ facts: { gateway: { state: 'unknown', because: 'x' } } })[0]?.[1]).toContain('cannot be told')
  })
  it('is nothing when the gateway takes the entries out itself', () => {
    const input = { throughGateway: true }
    expect(leftOf({ facts: { gateway: running }, input }).map(([, left]) => left)).toEqual([null, null, null])
    expect(leftOf({ facts: { gateway: { state: 'unknown', because: 'x' } }, input })[0]?.[1]).toContain(
      'cannot be told',
    )
  })
  it('is all of a home that is on its way into a database, and a database is not for us', () => {
    const { home } = healthyFacts()
    const generation = (kind: 'mixed' | 'sqlite') => {
      const facts = healthyFacts({ home: { ...home, generation: kind } })
      const agents = [agentFacts({ index: indexWith(idle), files: scene.files })]
      return planClean({ facts: { ...facts, agents }, parents: new Map(), trustClock: false, throughGateway: false })
        .steps
    }
    expect(generation('mixed').map(({ left }) => left !== null)).toEqual([true, true, true])
    expect(generation('sqlite')).toEqual([])
  })
})

it('does nothing when the mode is off', () => {
  expect(short({ ...used(direct, 'a', 9 * dayMs), policy: { mode: 'off' } })).toEqual([])
})

describe('a clock that cannot be right', () => {
  const scene = used(direct, 'a', 9 * dayMs)
  const ahead = (ms: number) => ({ ...scene, files: [...(scene.files ?? []), old('x.jsonl', -ms)] })
  it('is told by a file from the future, and nothing is done', () => {
    const { steps, notes } = plan(ahead(10 * 60_000 + 1))
    expect(steps).toEqual([])
    expect(notes).toEqual([expect.stringMatching(/x\.jsonl was written 10m after now: the clock is not trusted/)])
  })
  it('is trusted when a person says so, and within minutes', () => {
    expect(plan({ ...ahead(dayMs), input: { trustClock: true } }).steps).toHaveLength(2)
    expect(plan(ahead(60_000)).steps).toHaveLength(2)
  })
})
