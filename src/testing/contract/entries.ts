import assert from 'node:assert/strict'
import type { Entry } from '../../model/entries.ts'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import { parseSessionKey } from '../../model/keys.ts'
import type { Message } from '../../model/messages.ts'
import { alice, bob, type PromiseGroup, penOf, refused, type Scene, wordsOf } from './scene.ts'

const nobody = parseSessionKey('nobody')

/** Bodies over this are stored elsewhere by an adapter (design: 32 KB); its neighbours are edges. */
const largeBytes = 32 * 1024

/** JSON around the content of a short assistant message. */
const framingBytes = JSON.stringify({ role: 'assistant', content: '' }).length

const texts: Record<string, string> = {
  nothing: '',
  'a NUL, in the middle and at the end': 'a\0b\0',
  'line separators of other systems': 'a\u2028b\u2029c\u0085d\r\n\v\f',
  'characters outside the basic plane': '𝔘𝔫𝔦𝔠𝔬𝔡𝔢 👩‍👩‍👧‍👦 🏳️‍🌈 \u{10FFFF}',
  'marks that combine': 'e\u0301 \u202Eright to left\u202C \uFEFF',
  'quotes, backslashes and JSON': `'"\\\`{"a":[1,null]}; DROP TABLE entries; --`,
  'one byte less than large': 'x'.repeat(largeBytes - framingBytes - 1),
  'exactly large': 'x'.repeat(largeBytes - framingBytes),
  'one byte more than large': 'x'.repeat(largeBytes - framingBytes + 1),
  'two megabytes that hardly compress': noise(2 * 1024 * 1024),
  'two megabytes of astral characters': '🌊'.repeat(512 * 1024),
}

/** The same for the same length: a linear congruential generator (Numerical Recipes' constants). */
function noise(length: number): string {
  let state = 1
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return String.fromCharCode(33 + ((state >>> 24) % 90))
  }).join('')
}

async function roundTrip(scene: Scene, bodies: Message[]): Promise<Entry[]> {
  const claim = await scene.begin(alice, 'go')
  const entries = bodies.map((body) => scene.entry('', { body }))
  await scene.store.appendEntries({ ...penOf(claim), entries, atMs: scene.nowMs })
  return (await scene.entries(alice)).slice(1)
}

export const entryPromises: PromiseGroup = {
  'follows its predecessor without a gap and names it': async (scene) => {
    const claim = await scene.begin(alice, 'hello')
    const pen = await scene.append(penOf(claim), 'one', 'two')
    assert.equal(pen.head, 3)
    assert.equal((await scene.append(pen, 'three')).head, 4)
    const entries = await scene.entries(alice)
    assert.deepEqual(wordsOf(entries), ['hello', 'one', 'two', 'three'])
    assert.deepEqual(
      entries.map(({ seq, parentId, turnId, attempt }) => ({ seq, parentId, turnId, attempt })),
      entries.map((_, index) => ({
        seq: index + 1,
        parentId: entries[index - 1]?.id ?? null,
        turnId: claim.turn.id,
        attempt: 1,
      })),
    )
  },
  'stands once when its append is repeated': async (scene) => {
    const pen = penOf(await scene.begin(alice, 'hello'))
    const append = { ...pen, entries: [scene.entry('one'), scene.entry('two')], atMs: scene.nowMs }
    assert.deepEqual(await scene.store.appendEntries(append), { head: 3 })
    assert.deepEqual(await scene.store.appendEntries(append), { head: 3 })
    await scene.append({ ...pen, head: 3 }, 'three')
    await scene.store.appendEntries(append)
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hello', 'one', 'two', 'three'])
  },
  'is refused where the head is another one, and nothing of it is written': async (scene) => {
    const pen = penOf(await scene.begin(alice, 'hello'))
    await refused('HEAD_MOVED', scene.append({ ...pen, head: pen.head - 1 }, 'low', 'low'))
    await refused('HEAD_MOVED', scene.append({ ...pen, head: pen.head + 1 }, 'high'))
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hello'])
  },
  'is refused when only its first part is a repeat': async (scene) => {
    const pen = penOf(await scene.begin(alice, 'hello'))
    const first = scene.entry('one')
    await scene.store.appendEntries({ ...pen, entries: [first], atMs: scene.nowMs })
    await refused(
      'HEAD_MOVED',
      scene.store.appendEntries({ ...pen, entries: [first, scene.entry('other')], atMs: scene.nowMs }),
    )
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hello', 'one'])
  },
  'is refused without the lease, with an older fence and with one that was never given': async (scene) => {
    const claim = await scene.begin(alice, 'hello')
    const pen = penOf(claim)
    await refused('FENCED', scene.append({ ...pen, fence: pen.fence - 1 }, 'old'))
    await refused('FENCED', scene.append({ ...pen, fence: pen.fence + 1 }, 'future'))
    await refused('FENCED', scene.append({ ...pen, fence: pen.fence - 1, head: 99 }, 'old, and elsewhere'))
    await scene.settle(claim, 'done')
    await refused('FENCED', scene.append({ ...pen, head: 2 }, 'after the end'))
    assert.equal((await scene.store.statistics()).fencedWrites, 4)
    assert.deepEqual(wordsOf(await scene.entries(alice)), ['hello', 'done'])
  },

  'keeps its text to the byte': async (scene) => {
    const bodies = Object.values(texts).map((content): Message => ({ role: 'assistant', content }))
    const found = await roundTrip(scene, bodies)
    for (const [index, name] of Object.keys(texts).entries()) {
      assert.ok(JSON.stringify(found[index]?.body) === JSON.stringify(bodies[index]), `changed: ${name}`)
    }
  },
  'keeps fields that nobody knows, in their order': async (scene) => {
    const bodies: Message[] = [
      JSON.parse('{"zeta":1,"role":"assistant","content":null,"alpha":{"b":[],"a":{}},"__proto__":{"x":1},"n":1e-7}'),
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{' } }],
      },
      {
        role: 'user',
        content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(50_000)}` } }],
      },
    ]
    const found = await roundTrip(scene, bodies)
    assert.deepEqual(
      found.map(({ body }) => JSON.stringify(body)),
      bodies.map((body) => JSON.stringify(body)),
    )
  },
  'may have a large body that stands elsewhere too': async (scene) => {
    const large = noise(100_000)
    await scene.say(alice, large, large)
    await scene.say(bob, large, 'short')
    assert.deepEqual(wordsOf(await scene.entries(alice)), [large, large])
    assert.deepEqual(wordsOf(await scene.entries(bob)), [large, 'short'])
  },

  'is read oldest or newest first, in slices': async (scene) => {
    const pen = penOf(await scene.begin(alice, '1'))
    await scene.append(pen, '2', '3', '4', '5')
    const read = async (order: 'oldest' | 'newest', limit: number, after?: number) => {
      const page = await scene.store.readEntries({
        key: alice,
        order,
        limit,
        ...(after === undefined ? {} : { after }),
      })
      return [wordsOf(page.entries).join(''), page.next]
    }
    assert.deepEqual(await read('oldest', 2), ['12', 2])
    assert.deepEqual(await read('oldest', 2, 2), ['34', 4])
    assert.deepEqual(await read('oldest', 2, 4), ['5', null])
    assert.deepEqual(await read('newest', 2), ['54', 4])
    assert.deepEqual(await read('newest', 3, 4), ['321', null])
    assert.deepEqual(await read('oldest', 5), ['12345', null])
    assert.deepEqual(await read('oldest', 5, 5), ['', null])
  },
  'is read once while others are added': async (scene) => {
    let pen = await scene.append(penOf(await scene.begin(alice, '1')), '2', '3', '4')
    const seen: string[] = []
    let after: number | null | undefined
    while (after !== null) {
      const from: { after?: number } = after === undefined ? {} : { after }
      const page = await scene.store.readEntries({ key: alice, order: 'newest', limit: 2, ...from })
      seen.push(...wordsOf(page.entries))
      after = page.next
      pen = await scene.append(pen, 'new')
    }
    assert.deepEqual(seen, ['4', '3', '2', '1'])
  },
  'is read by kind': async (scene) => {
    await scene.say(alice, 'question', null, {
      entries: [
        scene.entry('calling'),
        scene.entry('', { kind: 'tool', body: { role: 'tool', tool_call_id: 'c', content: 'result' } }),
        scene.entry('', { kind: 'event', body: { code: 'NOTE', text: 'for people' } }),
        scene.entry('answer'),
      ],
    })
    const read = async (kinds: Entry['kind'][], limit = 10) =>
      scene.store.readEntries({ key: alice, order: 'oldest', limit, kinds })
    assert.deepEqual(wordsOf((await read(['assistant'])).entries), ['calling', 'answer'])
    assert.deepEqual(wordsOf((await read(['user', 'tool'])).entries), ['question', 'result'])
    assert.deepEqual(wordsOf((await read(['event'])).entries), ['(event)'])
    assert.deepEqual((await read(['system'])).entries, [])
    const page = await read(['assistant'], 1)
    assert.deepEqual([wordsOf(page.entries), page.next], [['calling'], 2])
  },
  'is read as the model is shown it: no events, no attempt that was made again, nothing it refused': async (scene) => {
    const first = await scene.begin(alice, 'q1')
    await scene.append(penOf(first), 'half')
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs: scene.nowMs })
    await scene.store.requeueTurn({ turnId: first.turn.id, lane: 'resume', atMs: scene.nowMs })
    await scene.settle(await scene.claim(), 'whole')
    const outcome = recordOf(new HoldfastError('MODEL_REJECTED'))
    await scene.settle(await scene.begin(alice, 'poison'), null, { status: 'failed', outcome })
    const { turn } = await scene.admit(alice, 'unwanted')
    await scene.store.cancelTurn({ turnId: turn.id, reason: 'x', atMs: scene.nowMs })
    await scene.say(alice, 'q2', 'a2')
    const read = async (order: 'oldest' | 'newest', limit: number) => {
      const page = await scene.store.readEntries({ key: alice, order, limit, shownOnly: true })
      return [wordsOf(page.entries).join(' '), page.next]
    }
    assert.deepEqual(await read('oldest', 10), ['q1 whole q2 a2', null])
    assert.deepEqual(await read('oldest', 3), ['q1 whole q2', 7])
    assert.deepEqual(await read('newest', 2), ['a2 q2', 7])
  },
  'is read in bounded slices however large it is': async (scene) => {
    const largeLength = 4 * 1024 * 1024
    const pen = penOf(await scene.begin(alice, 'go'))
    await scene.append(pen, ...['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => letter.repeat(largeLength)))
    const first = await scene.store.readEntries({ key: alice, order: 'oldest', limit: 100 })
    assert.ok(first.entries.length >= 1 && first.next !== null, '24 MB are more than one page')
    const found = wordsOf(await scene.entries(alice)).slice(1)
    assert.deepEqual(
      found.map((text) => [text[0], text.length]),
      ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => [letter, largeLength]),
    )
  },
  'of a session that nobody opened is an error, not an empty list': async ({ store }) => {
    await refused('SESSION_NOT_FOUND', store.readEntries({ key: nobody, order: 'oldest', limit: 1 }))
  },
}
