import { describe, expect, it } from 'vitest'
import { isHoldfastError } from '../model/errors.ts'
import { defaultHomePolicy } from '../openclaw/home/policy.ts'
import { planReload } from './changes.ts'
import { homePolicyOf, pacesOf, webhookOf } from './homes.ts'
import { checkConfig } from './read.ts'

const homesOf = (homes: unknown) => checkConfig({ homes }, [], null).homes

function problemIn(homes: unknown): string {
  try {
    homesOf(homes)
  } catch (error) {
    if (isHoldfastError(error, 'CONFIG_INVALID')) return String(error.facts.because)
    throw error
  }
  throw new Error('it was taken')
}

describe('the policy for homes', () => {
  it('is the usual one where nothing is set', () => {
    expect(homePolicyOf(homesOf({}))).toEqual(defaultHomePolicy)
  })

  it('follows each setting, and says where it came from', () => {
    const homes = {
      mode: 'enforce',
      idle: '7d',
      bindings: '8d',
      entries: 9,
      cronRuns: false,
      leftovers: '0ms',
      resets: false,
      recent: '1m',
      index: { rotateAt: '20mb', copies: 1 },
      archives: { age: false, bytes: '5gb' },
      disk: { budget: '1000b', low: 0.5 },
      resumes: { sessions: 0, age: '1h' },
    }
    const set = {
      mode: 'enforce',
      transcriptIdleMs: 7 * 86_400_000,
      bindingIdleMs: 8 * 86_400_000,
      entriesMax: 9,
      cronRunMs: null,
      leftoverMs: 0,
      resetMs: null,
      recentMs: 60_000,
      indexRotateBytes: 20 * 1024 ** 2,
      indexBackupsKept: 1,
      archiveMs: null,
      archiveBytesMax: 5 * 1024 ** 3,
      diskBudget: { maxBytes: 1_000, lowBytes: 500 },
      resumesMax: 0,
      resumeAgeMs: 3_600_000,
    }
    const found = homePolicyOf(homesOf(homes))
    expect(found).toMatchObject(set)
    expect(found.sources).toEqual(Object.fromEntries(Object.keys(set).map((name) => [name, 'holdfast.json5'])))
  })
})

describe('the pace of the keeper', () => {
  it('is 5 minutes for locks, 6 hours for cleaning, and once a night for archives', () => {
    const { locks, clean, archives } = pacesOf(homesOf({}))
    expect([locks, clean]).toEqual([{ everyMs: 300_000 }, { everyMs: 21_600_000 }])
    if (!('schedule' in archives)) throw new Error('it is no schedule')
    expect(archives.schedule.after(Date.UTC(2026, 10, 26))).toBe(Date.UTC(2026, 10, 26, 4, 17))
  })

  it('may be a cron expression in a zone, or a duration, for each', () => {
    const keep = { locks: '*/2 * * * *', clean: '@daily', archives: '1d', timeZone: 'Europe/Vienna' }
    const { clean, archives } = pacesOf(homesOf({ keep }))
    if (!('schedule' in clean)) throw new Error('it is no schedule')
    expect(clean.schedule.after(Date.UTC(2026, 10, 26))).toBe(Date.UTC(2026, 10, 26, 23))
    expect(archives).toEqual({ everyMs: 86_400_000 })
  })

  it.each(['soon', '', '0s', '999ms', '61 4 * * *', '0 0 30 2 *', '* * *', '@reboot', 5])('is not %j', (locks) => {
    expect(problemIn({ keep: { locks } })).toContain('allowed is a duration such as "5m", or a cron expression')
  })
})

describe('the webhook', () => {
  it('is the address that stands there, or that a variable holds', () => {
    expect(webhookOf(homesOf({}), {})).toBeNull()
    expect(webhookOf(homesOf({ alerts: { webhook: 'https://a.example/x' } }), {})).toBe('https://a.example/x')
    expect(webhookOf(homesOf({ alerts: { webhookEnv: 'HOOK' } }), { HOOK: 'https://b.example/y' })).toBe(
      'https://b.example/y',
    )
  })

  it.each([undefined, '', 'file:///etc/passwd'])('is not what a variable holds that is %j', (HOOK) => {
    const failure = expect.objectContaining({ code: 'CONFIG_INVALID' })
    expect(() => webhookOf(homesOf({ alerts: { webhookEnv: 'HOOK' } }), { HOOK })).toThrow(failure)
  })
})

it('a gateway that runs has nothing to do with settings of homes', () => {
  const config = (homes: unknown) => ({ ...checkConfig({ homes }, [], null), data: '/d', file: null })
  expect(planReload(config({}), config({ entries: 7 }))).toMatchObject({ applied: [], needsRestart: [] })
})

it.each([
  [{ entries: 0 }, /homes.entries: found 0/],
  [{ mode: 'on' }, /homes.mode: found "on", allowed is one of "off", "warn", "enforce"/],
  [{ status: { port: true } }, /homes.status.port/],
  [{ alerts: { command: 'mail me' } }, /homes.alerts.command: found "mail me", allowed is a list/],
  [{ entires: 5 }, /homes.entires/],
])('%j is refused', (homes, because) => expect(problemIn(homes)).toMatch(because))
