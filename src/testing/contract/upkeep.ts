import assert from 'node:assert/strict'
import type { Store, StoreVerbs } from '../../store/port.ts'
import { jobPut } from './jobs.ts'
import { alice, bob, openLanes, type PromiseGroup, penOf, refused, type Scene } from './scene.ts'

/** One call of every verb; what it is given does not matter to a closed store. */
const calls = (scene: Scene): { [Verb in keyof Omit<StoreVerbs, 'close'>]: (store: Store) => Promise<unknown> } => {
  const atMs = scene.nowMs
  const key = alice
  const turnId = 'turn-1'
  const pen = { key, turnId, fence: 1, head: 1 }
  const outcome = { code: 'TURN_STALLED' as const, message: '', facts: {}, retryAfterMs: null }
  return {
    openSession: (store) => store.openSession({ key, atMs }),
    readSession: (store) => store.readSession(key),
    listSessions: (store) => store.listSessions({ limit: 1 }),
    patchSession: (store) => store.patchSession({ key, title: 'x', atMs }),
    resetSession: (store) => store.resetSession({ key, reason: 'x', atMs }),
    archiveSession: (store) => store.archiveSession({ key, atMs }),
    searchEntries: (store) => store.searchEntries({ text: 'x', limit: 1 }),
    appendEntries: (store) => store.appendEntries({ ...pen, entries: [scene.entry('x')], atMs }),
    readEntries: (store) => store.readEntries({ key, order: 'oldest', limit: 1 }),
    readContext: (store) => store.readContext({ key, tokensMax: 1, bytesMax: 1 }),
    admitTurn: (store) => store.admitTurn(scene.admission(key, 'x')),
    claimTurn: (store) => store.claimTurn({ holder: scene.holder, rules: openLanes, atMs }),
    recordProgress: (store) => store.recordProgress({ key, fence: 1, note: 'x', atMs }),
    settleTurn: (store) => store.settleTurn(scene.settling(pen, 'x')),
    requeueTurn: (store) => store.requeueTurn({ turnId, lane: 'resume', atMs }),
    cancelTurn: (store) => store.cancelTurn({ turnId, reason: 'x', atMs }),
    revokeTurn: (store) => store.revokeTurn({ turnId, status: 'failed', outcome, atMs }),
    quarantineTurn: (store) => store.quarantineTurn({ turnId, outcome, atMs }),
    readTurn: (store) => store.readTurn(turnId),
    listTurns: (store) => store.listTurns({ order: 'oldest', limit: 1 }),
    listLeases: (store) => store.listLeases(),
    expireLeases: (store) => store.expireLeases({ holderIds: ['x'], handedOver: false, limit: 100, atMs }),
    recordStart: (store) => store.recordStart({ holder: scene.holder, atMs }),
    recordEnd: (store) => store.recordEnd({ holderId: 'x', atMs }),
    listStarts: (store) => store.listStarts(),
    inspectSession: (store) => store.inspectSession({ key }),
    readTurnStates: (store) => store.readTurnStates({ turnIds: [turnId] }),
    announce: (store) => store.announce({ holderId: 'holder-1', address: null, token: null }),
    listHolders: (store) => store.listHolders(),
    expireLapsed: (store) => store.expireLapsed({ holderId: 'holder-1', limit: 1, atMs }),
    takeDuty: (store) => store.takeDuty({ duty: 'x', holderId: 'holder-1' }),
    repairSession: (store) => store.repairSession({ key, afterSeq: 0, atMs }),
    listQuarantined: (store) => store.listQuarantined({ limit: 1 }),
    releaseTurn: (store) => store.releaseTurn({ turnId, newTurnId: 'turn-2', atMs }),
    commitSummary: (store) =>
      store.commitSummary({ key, transcript: 1, baseId: null, uptoSeq: 1, kind: 'model', text: 'x', tokens: 1, atMs }),
    undoSummary: (store) => store.undoSummary({ key, summaryId: 1, atMs }),
    listSummaries: (store) => store.listSummaries(key),
    claimDelivery: (store) => store.claimDelivery({ atMs }),
    listUnsent: (store) => store.listUnsent({ limit: 1 }),
    settleDelivery: (store) => store.settleDelivery({ id: 1, status: 'sent', error: null, nextAttemptAtMs: 0 }),
    markUnknownDeliveries: (store) => store.markUnknownDeliveries({ atMs }),
    putJob: (store) => store.putJob(jobPut(scene, 'x')),
    removeJob: (store) => store.removeJob({ id: 'x' }),
    readJob: (store) => store.readJob('x'),
    listJobs: (store) => store.listJobs({ limit: 1 }),
    switchJob: (store) => store.switchJob({ id: 'x', enabled: false, nextAtMs: null, atMs }),
    dueJobs: (store) => store.dueJobs({ atMs, limit: 1 }),
    moveJob: (store) => store.moveJob({ id: 'x', expectedNextAtMs: 1, nextAtMs: 2, missed: null }),
    startJob: (store) => store.startJob({ id: 'x', due: null, runsKept: 1, admission: scene.admission(key, 'x') }),
    listWaits: (store) => store.listWaits({ lane: 'main', status: 'queued', after: null, beganByMs: atMs, limit: 1 }),
    readLanes: (store) => store.readLanes(),
    readQueue: (store) => store.readQueue(key),
    statistics: (store) => store.statistics(),
    probe: (store) => store.probe(),
    verify: (store) => store.verify({ quick: true, atMs }),
    readRetention: (store) => store.readRetention({ limit: 1, activeBeforeMs: atMs }),
    exportTranscripts: (store) => store.exportTranscripts({ items: [{ key, transcript: 1 }], bytesMax: 1 }),
    takeOut: (store) => store.takeOut({ items: [], atMs }),
    purge: (store) => store.purge({ rowsMax: 1 }),
    putBack: (store) => store.putBack({ id: 1, part: 0, text: '', last: true, atMs }),
    listArchived: (store) => store.listArchived({ limit: 1 }),
    enterArchived: (store) => store.enterArchived({ items: [] }),
    moveArchived: (store) => store.moveArchived({ moves: [] }),
    dropArchived: (store) => store.dropArchived({ ids: [1] }),
    deleteSession: (store) => store.deleteSession({ key, atMs }),
    addEvent: (store) => store.addEvent({ key, code: 'X', text: 'x', atMs }),
    noteClock: (store) => store.noteClock({ atMs }),
    giveBack: (store) => store.giveBack({ pagesMax: 1 }),
    scrub: (store) => store.scrub(),
    backup: (store) => store.backup({ directory: scene.ground.backupDirectory ?? '', atMs }),
  }
}

export const upkeepPromises: PromiseGroup = {
  'counts what it holds': async (scene) => {
    await scene.say(alice, 'one', '1')
    const lost = await scene.begin(alice, 'two')
    await scene.store.expireLeases({ holderIds: [scene.holder.id], handedOver: false, limit: 100, atMs: scene.nowMs })
    await scene.begin(bob, 'three')
    await scene.store.openSession({ key: scene.admission(alice, '').key, atMs: scene.nowMs })
    scene.nowMs += 5
    const oldest = scene.nowMs
    await scene.admit(bob, 'four', { lane: 'cron' })
    scene.nowMs += 5
    await scene.admit(bob, 'five', { lane: 'cron' })
    await scene.admit(alice, 'six')
    const found = await scene.store.statistics()
    assert.deepEqual(
      [found.sessions, found.sessionsArchived, found.turnsQueued, found.turnsRunning, found.turnsInterrupted],
      [2, 0, 3, 1, 1],
    )
    assert.equal(found.entries, (await scene.entries(alice)).length + (await scene.entries(bob)).length)
    const lane = (name: string) => found.lanes.find((each) => each.lane === name)
    assert.deepEqual(lane('cron'), { lane: 'cron', queued: 2, running: 0, oldestQueuedAtMs: oldest })
    assert.deepEqual(lane('main'), { lane: 'main', queued: 1, running: 1, oldestQueuedAtMs: scene.nowMs })
    assert.deepEqual([found.writable, found.lastVerify, found.fencedWrites], [true, null, 0])
    assert.ok(found.bytes.database >= 0 && found.bytes.diskFree >= 0)
    assert.equal((await scene.turn(lost.turn.id)).status, 'interrupted')
  },
  'counts archived sessions and empty lanes too': async (scene) => {
    const empty = await scene.store.statistics()
    assert.deepEqual(
      empty.lanes.map(({ lane, queued, running, oldestQueuedAtMs }) => [lane, queued, running, oldestQueuedAtMs]),
      ['main', 'subagent', 'cron', 'resume', 'background'].map((lane) => [lane, 0, 0, null]),
    )
    await scene.say(alice, 'hello', 'hi')
    await scene.store.archiveSession({ key: alice, atMs: scene.nowMs })
    assert.equal((await scene.store.statistics()).sessionsArchived, 1)
  },
  'finds itself writable and in order': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    await scene.store.probe()
    for (const quick of [true, false]) {
      const report = await scene.store.verify({ quick, atMs: scene.nowMs })
      assert.deepEqual([report.ok, report.sessions], [true, 1])
      assert.ok(report.checks.length > 0 && report.checks.every(({ ok, problems }) => ok && problems.length === 0))
    }
  },
  'remembers when it was found in order, over a restart': async (scene) => {
    await scene.store.verify({ quick: false, atMs: scene.nowMs })
    await scene.reopen()
    assert.deepEqual((await scene.store.statistics()).lastVerify, { atMs: scene.nowMs, ok: true })
  },
  'makes a verified copy while a turn runs, or says that its server makes them': async (scene) => {
    const directory = scene.ground.backupDirectory
    if (directory === null) {
      await refused('BACKUP_ELSEWHERE', scene.store.backup({ directory: '', atMs: scene.nowMs }))
      return
    }
    const large = 'x'.repeat(100_000)
    await scene.say(alice, large, 'hi')
    const claim = await scene.begin(alice, 'more')
    const report = await scene.store.backup({ directory, atMs: scene.nowMs })
    assert.deepEqual([report.verify.ok, report.verify.sessions, report.sha256.length], [true, 1, 64])
    assert.ok(report.bytes > 0)
    await scene.append(penOf(claim), 'goes on')
    const again = scene.store.backup({ directory, atMs: scene.nowMs })
    await refused('BACKUP_FAILED', again)
  },
  'that is closed refuses every verb, and can be closed again': async (scene) => {
    await scene.say(alice, 'hello', 'hi')
    await scene.store.close()
    await scene.store.close()
    for (const [verb, call] of Object.entries(calls(scene))) {
      const error = await refused('STORE_CLOSED', call(scene.store))
      assert.equal(error.name, 'HoldfastError', verb)
    }
    await scene.reopen()
  },
  'answers calls that were made together, each with its own result': async (scene) => {
    const admitted = await Promise.all(Array.from({ length: 20 }, (_, index) => scene.admit(alice, `message ${index}`)))
    const positions = admitted.map(({ turn }) => turn.position)
    assert.deepEqual(
      positions,
      positions.toSorted((a, b) => a - b),
    )
    assert.equal(new Set(positions).size, 20)
    const key = { dedupeKey: 'k' }
    const same = await Promise.all(Array.from({ length: 20 }, () => scene.admit(bob, 'hello', key)))
    assert.deepEqual(
      [new Set(same.map(({ turn }) => turn.id)).size, same.filter(({ repeated }) => !repeated).length],
      [1, 1],
    )
    const refusals = await Promise.allSettled([
      scene.store.cancelTurn({ turnId: 'nothing', reason: 'x', atMs: scene.nowMs }),
      scene.admit(alice, 'not hurt by its neighbour'),
    ])
    assert.deepEqual(
      refusals.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    )
  },
}
