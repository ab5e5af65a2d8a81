import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kindOf } from '../../model/keys.ts'
import { keyToOurs, keyToTheirs } from './keys.ts'

describe('a key of a gateway', () => {
  it.each([
    ['agent:main:telegram:group:-100123:topic:7', 'agent:main:telegram:group:-100123:topic:7'],
    ['agent:work:signal:group:QUJDREVGR0g=', 'agent:work:signal:group:QUJDREVGR0g='],
    ['agent:main:openai-user:alice@example.org', 'agent:main:openai-user:alice@example.org'],
    ['agent:main:matrix:channel:!AbC:example.org', 'agent:main:matrix:channel:=21AbC:example.org'],
    ['agent:main:a=21b', 'agent:main:a=3D21b'],
    ['agent:main:a/../b', 'agent:main:a=2F.=2E=2Fb'],
    ['agent:main:Größe', 'agent:main:Gr=C3=B6=C3=9Fe'],
    ['global', 'agent:main:unscoped:global'],
    ['agent:main:unscoped:global', 'agent:main:=75nscoped:global'],
    ['agent:main:unbound:x', 'agent:main:=75nbound:x'],
    ['agent:Main:x', 'agent:main:unscoped:agent:Main:x'],
    ['', 'agent:main:unscoped:'],
  ])('%s is %s here', (theirs, ours) => {
    expect(keyToOurs(theirs, 'main')).toBe(ours)
    expect(keyToTheirs(keyToOurs(theirs, 'main'))).toBe(theirs)
  })

  it('keeps its kind', () => {
    expect(kindOf(keyToOurs('agent:main:matrix:channel:!AbC:example.org', 'main'))).toBe('group')
  })

  it('has its way back, and no other key has the same', () => {
    const piece = fc.oneof(
      fc.constantFrom('agent:main:', 'agent:', 'unscoped:', 'unbound:', '=', '=3D', '..', '.', '=21', ':', 'cron', '!'),
      fc.array(fc.nat(0x10_ff_ff), { maxLength: 4 }).map((points) => String.fromCodePoint(...points)),
    )
    const key = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join('').toWellFormed())
    const seen = new Map<string, string>()
    fc.assert(
      fc.property(
        key.filter((text) => text !== ''),
        (theirs) => {
          const ours = keyToOurs(theirs, 'main')
          expect(keyToTheirs(ours)).toBe(theirs)
          expect(seen.get(ours) ?? theirs).toBe(theirs)
          seen.set(ours, theirs)
        },
      ),
      { numRuns: 400 },
    )
  })

  it('that is too long is cut, and stays different from others', () => {
    const long = `agent:main:${'x'.repeat(300)}`
    expect(keyToOurs(long, 'main')).toHaveLength(233)
    expect(keyToOurs(`${long}y`, 'main')).not.toBe(keyToOurs(long, 'main'))
  })
})
