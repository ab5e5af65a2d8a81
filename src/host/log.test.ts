import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { jsonLog, type LogLevel } from './log.ts'

function written(level: LogLevel, write: (log: ReturnType<typeof jsonLog>) => void): Record<string, unknown>[] {
  const to = new PassThrough()
  write(jsonLog(level, to))
  const text = String(to.read() ?? '')
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
}

describe('the log', () => {
  it('writes one JSON object a line, with the time, the facts and the message', () => {
    const [line] = written('info', (log) => log.warn({ turnId: 't1' }, 'a turn failed'))
    expect(line).toMatchObject({ turnId: 't1', msg: 'a turn failed' })
    expect(line?.time).toMatch(/^\d{4}-\d\d-\d\dT/)
    expect(line).not.toHaveProperty('hostname')
  })
  it('leaves out what is below its level, and everything when silent', () => {
    const all = (log: ReturnType<typeof jsonLog>) => {
      log.debug({}, 'd')
      log.info({}, 'i')
      log.error({}, 'e')
    }
    expect(written('info', all).map(({ msg }) => msg)).toEqual(['i', 'e'])
    expect(written('silent', all)).toEqual([])
  })
})
