import { describe, expect, it } from 'vitest'
import type { StepReport } from '../changes/run.ts'
import { routeIn, warningText } from './warning.ts'

describe('where the answers of a session go', () => {
  it.each([
    [
      { deliveryContext: { channel: 'telegram', to: 'telegram:1', accountId: 'default' } },
      ['telegram', 'telegram:1', 'default', null],
    ],
    [
      {
        deliveryContext: { channel: 'telegram', to: 'telegram:-1:topic:7', threadId: 7 },
        lastChannel: 'x',
        lastTo: 'y',
      },
      ['telegram', 'telegram:-1:topic:7', null, '7'],
    ],
    [{ lastChannel: 'slack', lastTo: 'channel:C1', lastThreadId: '1.2' }, ['slack', 'channel:C1', null, '1.2']],
  ])('%j', (entry, [channel, to, accountId, threadId]) => {
    expect(routeIn(JSON.stringify(entry))).toEqual({ channel, to, accountId, threadId })
  })
  it.each([
    {},
    { deliveryContext: { channel: 'webchat', to: 'x' } },
    { lastChannel: 'slack' },
    { deliveryContext: null, lastTo: 'x' },
  ])('not %j', (entry) => {
    expect(routeIn(JSON.stringify(entry))).toBeNull()
  })
  it.each(['null', '[]', '"x"'])('not %s', (raw) => expect(routeIn(raw)).toBeNull())
})

describe('the warning', () => {
  const step = (kind: StepReport['kind'], bytes: number): StepReport => {
    return {
      kind,
      path: '/home/bot/x',
      key: 'agent:main:telegram:direct:secret',
      because: '',
      bytes,
      done: false,
      left: null,
    }
  }
  it('has counts, and says nothing of whose they are', () => {
    const text = warningText([
      step('drop-entry', 100),
      step('archive-transcript', 2_000),
      step('archive-leftover', 1_000),
    ])
    expect(text).toMatch(/^Holdfast: 1 session and 2 files of this bot \(3\.0 KB\) are past their time/)
    expect(text).not.toMatch(/secret|\/home/)
  })
  it('is not sent when there is nothing to warn of', () => expect(warningText([step('rotate-index', 5)])).toBeNull())
})
