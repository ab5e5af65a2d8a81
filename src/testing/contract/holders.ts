import assert from 'node:assert/strict'
import { alice, bob, type PromiseGroup } from './scene.ts'

const holderId = 'holder-1'

/** What holds with one process alone; what several see of each other is for the adapters that let them in. */
export const holderPromises: PromiseGroup = {
  'that lives keeps its sessions, whoever looks for lapsed ones': async (scene) => {
    await scene.begin(alice, 'hello')
    assert.deepEqual(await scene.store.expireLapsed({ holderId: 'holder-2', limit: 10, atMs: scene.nowMs }), [])
    assert.equal((await scene.store.listLeases()).length, 1)
  },
  'has a duty that nobody else has, and may take it again': async (scene) => {
    for (let count = 0; count < 2; count += 1) {
      assert.equal(await scene.store.takeDuty({ duty: 'retention', holderId }), true)
    }
  },
  'is known by its address where others share the store': async (scene) => {
    await scene.store.announce({ holderId, address: 'http://127.0.0.1:1', token: 'secret' })
    const living = await scene.store.listHolders()
    assert.deepEqual(
      living.map(({ id, address, token }) => [id, address, token]),
      scene.store.shared ? [[holderId, 'http://127.0.0.1:1', 'secret']] : [],
    )
  },
  'is found by the turns that it runs, in one look': async (scene) => {
    const running = await scene.begin(alice, 'hello')
    const { turn: waiting } = await scene.admit(bob, 'hello')
    await scene.store.cancelTurn({ turnId: running.turn.id, reason: 'enough', atMs: scene.nowMs })
    const states = await scene.store.readTurnStates({ turnIds: [running.turn.id, waiting.id, 'nobody'] })
    assert.deepEqual(
      states.toSorted((one, other) => one.status.localeCompare(other.status)),
      [
        { turnId: waiting.id, status: 'queued', cancelRequested: null, holderId: null },
        { turnId: running.turn.id, status: 'running', cancelRequested: 'enough', holderId },
      ],
    )
  },
}
