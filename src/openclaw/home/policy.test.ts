import { describe, expect, it } from 'vitest'
import { defaultHomePolicy, policyOf } from './policy.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const rules = (maintenance: Record<string, unknown>, cronSessionRetention?: unknown) => ({
  maintenance,
  cronSessionRetention,
})

describe('the policy of a home', () => {
  it('is the default where openclaw.json says nothing', () => {
    expect(policyOf(rules({}))).toEqual({ policy: defaultHomePolicy, problems: [] })
  })

  it('follows every rule that openclaw.json sets, and says so', () => {
    const set = {
      mode: 'enforce',
      pruneAfter: '14d',
      maxEntries: 200,
      rotateBytes: '20mb',
      maxDiskBytes: '1gb',
      highWaterBytes: '512mb',
      resetArchiveRetention: 7,
    }
    const source = 'openclaw.json'
    expect(policyOf(rules(set, '48h'))).toEqual({
      problems: [],
      policy: {
        ...defaultHomePolicy,
        mode: 'enforce',
        transcriptIdleMs: 14 * dayMs,
        bindingIdleMs: 14 * dayMs,
        entriesMax: 200,
        indexRotateBytes: 20 * 1024 ** 2,
        diskBudget: { maxBytes: 1024 ** 3, lowBytes: 512 * 1024 ** 2 },
        resetMs: 7 * dayMs,
        cronRunMs: 48 * hourMs,
        sources: {
          mode: source,
          transcriptIdleMs: source,
          bindingIdleMs: source,
          entriesMax: source,
          indexRotateBytes: source,
          diskBudget: source,
          resetMs: source,
          cronRunMs: source,
        },
      },
    })
  })

  it('takes the earlier name of pruneAfter, and the newer one where both are there', () => {
    expect(policyOf(rules({ pruneDays: 3 })).policy.transcriptIdleMs).toBe(3 * dayMs)
    expect(policyOf(rules({ pruneDays: 3, pruneAfter: '2d' })).policy.bindingIdleMs).toBe(2 * dayMs)
  })

  it('keeps for ever what false is said of', () => {
    const { policy } = policyOf(rules({ resetArchiveRetention: false, maxDiskBytes: false }, false))
    expect(policy).toMatchObject({ resetMs: null, cronRunMs: null, diskBudget: null })
    expect(policy.sources).toMatchObject({ resetMs: 'openclaw.json', cronRunMs: 'openclaw.json' })
  })

  it('keeps cron runs where their retention is 0, which would else take all of them', () => {
    expect(policyOf(rules({}, '0')).policy.cronRunMs).toBeNull()
  })

  it('counts cron retention without a unit in hours, ages in days', () => {
    const { policy } = policyOf(rules({ pruneAfter: '10' }, '10'))
    expect(policy).toMatchObject({ cronRunMs: 10 * hourMs, transcriptIdleMs: 10 * dayMs })
  })

  it('has a low mark at 80 % of the budget, and never above it', () => {
    expect(policyOf(rules({ maxDiskBytes: 1000 })).policy.diskBudget).toEqual({ maxBytes: 1000, lowBytes: 800 })
    const above = rules({ maxDiskBytes: 1000, highWaterBytes: 2000 })
    expect(policyOf(above).policy.diskBudget).toEqual({ maxBytes: 1000, lowBytes: 1000 })
    expect(policyOf(rules({ highWaterBytes: 2000 })).policy.diskBudget).toBeNull()
  })

  it('lets a flag win over openclaw.json, and openclaw.json over what a keeper is set to', () => {
    const kept = { ...defaultHomePolicy, entriesMax: 50, leftoverMs: 1, sources: { entriesMax: 'holdfast.json5' } }
    const flags = { transcriptIdleMs: 9, sources: { transcriptIdleMs: '--idle' } }
    const { policy } = policyOf(rules({ pruneAfter: '1d', maxEntries: 7 }), flags, kept)
    expect(policy).toMatchObject({ transcriptIdleMs: 9, bindingIdleMs: dayMs, entriesMax: 7, leftoverMs: 1 })
    expect(policy.sources).toEqual({
      transcriptIdleMs: '--idle',
      bindingIdleMs: 'openclaw.json',
      entriesMax: 'openclaw.json',
    })
    expect(policyOf(rules({}), {}, kept).policy.sources).toEqual({ entriesMax: 'holdfast.json5' })
  })
})

describe('a rule that is not understood', () => {
  it.each([
    ['mode', 'delete'],
    ['mode', 'off'],
    ['pruneAfter', 'soon'],
    ['pruneAfter', '0d'],
    ['pruneAfter', ['30d']],
    ['pruneAfter', false],
    ['maxEntries', '500'],
    ['maxEntries', 0],
    ['maxEntries', 1.5],
    ['maxEntries', Number.POSITIVE_INFINITY],
    ['rotateBytes', '10 MB'],
    ['maxDiskBytes', 0],
    ['maxDiskBytes', true],
    ['highWaterBytes', {}],
    ['resetArchiveRetention', true],
    ['resetArchiveRetention', 0],
  ])('%s: %j is told, and nothing goes beyond warn', (name, value) => {
    const { policy, problems } = policyOf(rules({ mode: 'enforce', [name]: value }), { mode: 'enforce' })
    expect(problems).toEqual([expect.stringMatching(`^session\\.maintenance\\.${name}: found .*, allowed is `)])
    expect(policy.mode).toBe('warn')
    expect(policy.sources.mode).toBe('openclaw.json cannot be followed')
  })

  it('of cron runs as well', () => {
    expect(policyOf(rules({}, true)).problems).toEqual([
      'cron.sessionRetention: found true, allowed is a duration such as "24h", or false',
    ])
  })

  it('is every rule of a file that cannot be read, so that a flag cannot enforce either', () => {
    const { policy, problems } = policyOf(null, { mode: 'enforce' })
    expect(policy.mode).toBe('warn')
    expect(problems).toEqual([])
    expect(policyOf(null, { mode: 'off' }).policy.mode).toBe('off')
  })

  it('does not come from the prototype of an object', () => {
    const inherited = Object.create({ mode: 'enforce', pruneAfter: '1d' }) as Record<string, unknown>
    expect(policyOf(rules(inherited)).policy).toEqual(defaultHomePolicy)
  })
})
