import assert from 'node:assert/strict'
import { parseSessionKey } from '../../../model/keys.ts'
import type { LaneName, LaneRules } from '../../../model/lanes.ts'
import type { Claim } from '../../../store/turns.ts'
import { alice, bob, holderNamed, lanesOf, openLanes, type PromiseGroup, type Scene } from '../scene.ts'

let sessions = 0

/** A turn of its own session. */
async function wait(scene: Scene, source: string, lane: LaneName = 'main'): Promise<void> {
  sessions += 1
  await scene.admit(parseSessionKey(`s${sessions}`), source, { source, lane })
}

async function waitEach(scene: Scene, sources: string, lane: LaneName = 'main'): Promise<void> {
  for (const source of sources) await wait(scene, source, lane)
}

/** Sources in the order in which their turns start, each ended before the next. */
async function answered(scene: Scene, count: number, rules: LaneRules = openLanes): Promise<string> {
  const taken: string[] = []
  for (let index = 0; index < count; index += 1) {
    const claim = await scene.claim({ rules })
    taken.push(claim.turn.source)
    await scene.settle(claim, 'done')
  }
  return taken.join('')
}

/** Sources of all turns that can start now. */
async function startedBy(scene: Scene, rules: LaneRules, claims: Claim[] = []): Promise<string> {
  for (;;) {
    const claim = await scene.tryClaim({ rules })
    if (claim === null) return claims.map(({ turn }) => turn.source).join('')
    claims.push(claim)
  }
}

const everywhere = { main: 9, subagent: 9, cron: 9, resume: 9, background: 9 }

export const lanePromises: PromiseGroup = {
  'keep slots for users, which nobody else gets, whatever waits': async (scene) => {
    const rules = lanesOf(everywhere, { slots: 4, userSlots: 2 })
    await waitEach(scene, 'ccc', 'cron')
    await waitEach(scene, 'ss', 'subagent')
    assert.equal(await startedBy(scene, rules), 'ss')
    await waitEach(scene, 'uuu')
    assert.equal(await startedBy(scene, rules), 'uu')
  },
  'let a user turn go before others that are overdue, while users have slots of their own': async (scene) => {
    const rules = lanesOf(everywhere, { slots: 9, userSlots: 2 })
    await waitEach(scene, 'bb', 'background')
    scene.nowMs += 1_000_000
    await waitEach(scene, 'uuu')
    assert.equal(await startedBy(scene, rules), 'uubbu')
  },
  'let a turn go before those of other lanes when its patience ends, at the millisecond': async (scene) => {
    const rules = lanesOf(everywhere, { patienceMs: { cron: 100, background: 400 } })
    await wait(scene, 'b', 'background') // due in 400 ms
    scene.nowMs += 300
    await wait(scene, 'c', 'cron') // at the same moment: the higher class
    scene.nowMs += 1
    await wait(scene, 'd', 'cron')
    assert.equal(await startedBy(scene, rules), 'cbd')
  },
  'give each source its turn, however much another has waiting': async (scene) => {
    await waitEach(scene, 'aaaaaaaaaa')
    await waitEach(scene, 'bc')
    assert.equal(await answered(scene, 5), 'abcaa')
  },
  'give a source that comes back from a pause no more than one that is new': async (scene) => {
    await waitEach(scene, 'baaaaaa')
    assert.equal(await answered(scene, 3), 'baa')
    await waitEach(scene, 'bnb')
    // the fourth and the eighth start of the lane are those of its oldest turn
    assert.equal(await answered(scene, 7), 'abnaaba')
  },
  'give every fourth start of a lane to its oldest turn, whoever sent it': async (scene) => {
    await waitEach(scene, 'aaaabcdefgh')
    assert.equal(await answered(scene, 8), 'abcadefa')
  },
  'leave slots to other sources than the one that has its share': async (scene) => {
    const rules = lanesOf({ main: 4 }, { sourceShare: 0.5 })
    const claims: Claim[] = []
    await waitEach(scene, 'aaaaa')
    assert.equal(await startedBy(scene, rules, claims), 'aa')
    await waitEach(scene, 'bbb')
    assert.equal(await startedBy(scene, rules), 'bb')
    await scene.settle(claims[0] as Claim, 'done')
    assert.equal(await startedBy(scene, rules), 'a')
  },
  'count slots and shares for each process by itself': async (scene) => {
    const rules = lanesOf({ main: 2 }, { slots: 2, sourceShare: 0.5 })
    await waitEach(scene, 'aaab')
    assert.equal(await startedBy(scene, rules), 'ab')
    const other = await scene.claim({ rules, holder: holderNamed('holder-9') })
    assert.equal(other.turn.source, 'a')
  },
  'are those of each claim: more room, or less, counts at once': async (scene) => {
    await waitEach(scene, 'aaaa')
    const claims: Claim[] = []
    assert.equal(await startedBy(scene, lanesOf({ main: 1 }), claims), 'a')
    assert.equal(await startedBy(scene, lanesOf({ main: 3 }), claims), 'aaa')
    for (const claim of claims.slice(0, 2)) await scene.settle(claim, 'done')
    assert.equal(await startedBy(scene, lanesOf({ main: 1 })), '')
    assert.equal(await startedBy(scene, lanesOf({ main: 2 })), 'a')
  },
  'keep their order over a restart': async (scene) => {
    await waitEach(scene, 'aaaaaabcd')
    await wait(scene, 'r', 'cron')
    assert.equal(await answered(scene, 2), 'ab')
    await scene.reopen()
    assert.equal(await answered(scene, 8), 'cadaaaar')
  },
  'take a source whose turn was cancelled by its next turn': async (scene) => {
    const { turn } = await scene.admit(alice, 'a', { source: 'a' })
    await scene.admit(alice, 'a', { source: 'a' })
    await waitEach(scene, 'b')
    await scene.store.cancelTurn({ turnId: turn.id, reason: 'unwanted', atMs: scene.nowMs })
    assert.equal(await answered(scene, 2), 'ab')
  },
  'forget a source with its last turn': async (scene) => {
    const { turn } = await scene.admit(bob, 'a', { source: 'a' })
    await scene.store.cancelTurn({ turnId: turn.id, reason: 'unwanted', atMs: scene.nowMs })
    assert.equal(await scene.tryClaim(), null)
  },
}
