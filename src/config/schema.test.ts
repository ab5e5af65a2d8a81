import { describe, expect, it } from 'vitest'
import { defaultSettings, resolveSettings } from '../engine/settings.ts'
import { type ErrorCode, isHoldfastError } from '../model/errors.ts'
import { nearest } from './problems.ts'
import { checkConfig, type Flag } from './read.ts'
import { configJsonSchema } from './schema.ts'
import { settingsOf } from './settings.ts'

/** The lines of the refusal; empty when it was taken. */
function problemsIn(parsed: unknown, flags: Flag[] = [], code: ErrorCode = 'CONFIG_INVALID'): string[] {
  try {
    checkConfig(parsed, flags, null)
    return []
  } catch (error) {
    if (!isHoldfastError(error, code)) throw error
    return String(error.facts.because).split('\n  ')
  }
}

describe('defaults', () => {
  it('are those of the engine', () => {
    expect(resolveSettings(settingsOf(checkConfig({}, [], null)))).toEqual(defaultSettings)
  })

  it('listen on loopback only', () => {
    expect(checkConfig({}, [], null).server).toMatchObject({ host: '127.0.0.1', port: 4747, tokenEnv: null })
  })
})

describe('values', () => {
  it('reads durations and sizes', () => {
    const config = checkConfig({ turns: { timeLimit: '24h' }, server: { bodyMax: '10mb' } }, [], null)
    expect(config.turns.timeLimit).toBe(86_400_000)
    expect(config.server.bodyMax).toBe(10_485_760)
    expect(settingsOf(config).turns?.timeLimitMs).toBe(86_400_000)
  })

  it.each([
    [
      { turns: { timeLimit: '10 minutes' } },
      'turns.timeLimit: found "10 minutes", allowed is a duration such as "90s", "24h" or "30d", at least 1s',
    ],
    [{ turns: { timeLimit: 90 } }, 'turns.timeLimit: found 90, allowed is a duration such as'],
    [{ turns: { timeLimit: '999ms' } }, 'turns.timeLimit: found "999ms", allowed is a duration'],
    [{ turns: { timeLimit: '9999d' } }, 'turns.timeLimit: found "9999d", allowed is a duration'],
    [{ server: { bodyMax: '20' } }, 'server.bodyMax: found "20", allowed is a size such as "512kb"'],
    [{ server: { port: 70_000 } }, 'server.port: found 70000, allowed is a whole number from 0 to 65535'],
    [{ server: { port: '4747' } }, 'server.port: found "4747", allowed is a whole number'],
    [{ server: { port: 1.5 } }, 'server.port: found 1.5, allowed is a whole number'],
    [{ server: [] }, 'server: found [], allowed is an object'],
    [{ server: { allowedHosts: ['a', 7] } }, 'server.allowedHosts.1: found 7, allowed is a host name'],
    [{ server: { allowedHosts: 'a' } }, 'server.allowedHosts: found "a", allowed is a list'],
    [
      { turns: { onBusy: 'wait' } },
      'turns.onBusy: found "wait", allowed is one of "queue", "coalesce", "interrupt", "reject"',
    ],
    [{ compaction: { softShare: 60 } }, 'compaction.softShare: found 60, allowed is a number between 0 and 1'],
    [{ compaction: { enabled: 'no' } }, 'compaction.enabled: found "no", allowed is true or false'],
    [{ model: { url: 'ftp://x', name: 'y' } }, 'model.url: found "ftp://x", allowed is an address such as'],
    [
      { lanes: { main: { concurrency: 0 } } },
      'lanes.main.concurrency: found 0, allowed is a whole number from 1 to 10000',
    ],
    [{ lanes: { userSlots: 72 } }, 'lanes.userSlots: found 72, allowed is less than lanes.slots (72)'],
    [{ lanes: { sourceShare: 0 } }, 'lanes.sourceShare: found 0, allowed is a number above 0, at most 1'],
    [{ retention: { every: '-1d' } }, 'retention.every: found "-1d", allowed is a duration such as'],
    [{ retention: { every: '1s' } }, 'retention.every: found "1s", allowed is a duration such as'],
    [{ retention: { kinds: { main: { idle: '99999999999d' } } } }, 'retention.kinds.main.idle: found "99999999999d"'],
    [{ retention: { kinds: { chat: {} } } }, 'retention.kinds.chat: '],
    [
      { retention: { disk: { low: 0.9, high: 0.8 } } },
      'retention.disk.low: found 0.9, allowed is above 0 and less than',
    ],
    [
      { sessions: { reset: { timeZone: 'Mars/Olympus' } } },
      'sessions.reset.timeZone: found "Mars/Olympus", allowed is',
    ],
    [[], 'the whole file: found [], allowed is an object'],
    [null, 'the whole file: found null, allowed is an object'],
  ])('names the key, what was found and what is allowed: %j', (parsed, problem) => {
    expect(problemsIn(parsed)).toEqual([expect.stringContaining(problem)])
  })

  it('never shows what stands where the name of a variable belongs, because it is often the secret', () => {
    const problems = problemsIn({ server: { tokenEnv: 'sk-very-secret' } })
    expect(problems.join()).toContain('server.tokenEnv: found something else, allowed is the name of')
    expect(problems.join()).not.toContain('sk-very')
  })

  it('tells all problems at once', () => {
    expect(problemsIn({ turns: { grace: 5 }, server: { prot: 1, host: '' }, zzz: 1 })).toHaveLength(4)
  })
})

describe('unknown keys', () => {
  it.each([
    [{ server: { prot: 1 } }, 'server.prot: there is no such key; did you mean "server.port"?'],
    [{ Turns: {} }, 'Turns: there is no such key; did you mean "turns"?'],
    [{ port: 4747 }, 'port: there is no such key; did you mean "server.port"?'],
    [{ log: { colour: true } }, 'log.colour: there is no such key; known there: level'],
    [JSON.parse('{"__proto__": 1}'), '__proto__: there is no such key'],
  ])('are refused with the nearest known one: %j', (parsed, problem) => {
    expect(problemsIn(parsed)).toEqual([expect.stringContaining(problem)])
  })

  it('are not guessed at when nothing is near', () => expect(nearest('zzzz', ['port', 'host'])).toBeNull())
})

describe('relations', () => {
  it.each([
    [{ model: { contextWindow: 2_000, answerTokens: 2_000 } }, 'model.answerTokens: found 2000, allowed is less than'],
    [{ compaction: { keepShare: 0.7 } }, 'compaction.keepShare: found 0.7, allowed is less than compaction.softShare'],
    [{ turns: { stallLimit: '1h' } }, 'turns.stallLimit: found 1h, allowed is at most turns.timeLimit (10m)'],
    [{ compaction: { backoffFirst: '2h' } }, 'compaction.backoffFirst: found 2h'],
    [{ model: { url: 'http://127.0.0.1:1/v1' } }, 'model.url and model.name (`--model-url` and `--model`): give both'],
  ])('between limits are checked under the names in the file: %j', (parsed, problem) => {
    expect(problemsIn(parsed)).toEqual([expect.stringContaining(problem)])
  })
})

describe('flags', () => {
  const port = (value: unknown): Flag => ({ key: 'server.port', flag: '--port', value })

  it('win over the file', () => {
    expect(checkConfig({ server: { port: 1, host: '::1' } }, [port('4800')], null).server).toMatchObject({
      port: 4800,
      host: '::1',
    })
  })

  it('are named by what was typed', () => {
    const problem = '--port: found "http", allowed is a whole number from 0 to 65535'
    expect(problemsIn({}, [port('http')], 'USAGE')).toEqual([problem])
    expect(problemsIn({ sever: {} }, [port('http')], 'CONFIG_INVALID')).toContain(problem)
  })

  it('do not hide a file whose section is no object', () => {
    expect(problemsIn({ server: 7 }, [port('1')])).toEqual([expect.stringContaining('server: found 7')])
  })
})

describe('the JSON Schema', () => {
  it('describes every key', () => {
    const undescribed: string[] = []
    const visit = (node: { properties?: Record<string, never>; description?: string }, path: string) => {
      if (path !== '' && node.description === undefined) undescribed.push(path)
      for (const [key, child] of Object.entries(node.properties ?? {})) visit(child, `${path}.${key}`)
    }
    visit(configJsonSchema(), '')
    expect(undescribed).toEqual([])
  })

  it('shows defaults as they are written', () => {
    expect(configJsonSchema()).toMatchObject({
      additionalProperties: false,
      properties: { turns: { properties: { timeLimit: { type: 'string', default: '10m' } } } },
    })
  })
})
