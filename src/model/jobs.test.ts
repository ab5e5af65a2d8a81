import { describe, expect, it } from 'vitest'
import { jobIdFrom, parseJobId, runKeyOf, sourceOfJob } from './jobs.ts'
import { kindOf } from './keys.ts'

describe('the id of a job', () => {
  it.each(['a', '7', 'morning-report', 'x_1', 'a'.repeat(64)])('may be %s', (id) => {
    expect(parseJobId(id)).toBe(id)
    expect(kindOf(runKeyOf({ agentId: 'main', id }, '0192-x'))).toBe('cron-run')
  })
  it.each(['', '-a', 'A', 'a b', 'a:b', '../x', 'a'.repeat(65), 'subagent', 'ä'])('may not be «%s»', (id) => {
    expect(() => parseJobId(id)).toThrow(expect.objectContaining({ code: 'JOB_INVALID' }))
  })
  it.each([
    ['Morning report!', 'morning-report'],
    ['  --Träume über Alles 🌊 ', 'traume-uber-alles'],
    ['日本語', 'job'],
    ['', 'job'],
    ['x'.repeat(300), 'x'.repeat(40)],
  ])('is made from the name «%s»', (name, id) => {
    expect(jobIdFrom(name)).toBe(id)
    expect(parseJobId(jobIdFrom(name))).toBe(id)
  })
  it('is a source that quotas can count, however long', () => expect(sourceOfJob('a'.repeat(64))).toHaveLength(64))
})
