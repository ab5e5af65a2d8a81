import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Scratch } from '../../test/sqlite/scratch.ts'
import { alice, refused } from '../testing/contract/scene.ts'
import { openReadOnly } from './open.ts'
import { readOwner, writeOwnerAddress } from './owner.ts'

const program = new URL('../../test/sqlite/owner.ts', import.meta.url).pathname

async function startOwner(data: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, data], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return child
}

describe('a data directory', () => {
  it('has one owner; a second one is told who', async () => {
    await using scratch = new Scratch()
    const child = await startOwner(scratch.data)
    try {
      writeOwnerAddress(scratch.data, { address: 'http://127.0.0.1:4747', socket: null })
      const { facts } = await refused('STORE_IN_USE', scratch.scene())
      expect(facts).toMatchObject({ pid: child.pid, address: 'http://127.0.0.1:4747', directory: scratch.data })
      expect(facts.sinceMs).toBeTypeOf('number')
      const beside = await openReadOnly(scratch.data)
      expect((await beside.listSessions({ limit: 1 })).items).toEqual([])
      await beside.close()
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    // the kernel let the lock go with the process: nothing is stale, nothing is to be cleaned up
    const scene = await scratch.scene()
    await scene.say(alice, 'hello', 'hi')
    expect(readOwner(scratch.data)?.pid).toBe(scene.holder.pid)
  })

  it('has one owner also within a process', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    await refused('STORE_IN_USE', scratch.scene())
    await scene.say(alice, 'hello', 'hi')
    await scene.store.close()
    await scratch.scene()
  })

  it('says who has it, to its owner only, and nobody after a close', async () => {
    await using scratch = new Scratch()
    const scene = await scratch.scene()
    writeOwnerAddress(scratch.data, { address: null, socket: '/run/holdfast.sock' })
    expect(readOwner(scratch.data)).toMatchObject({ pid: scene.holder.pid, host: 'here', socket: '/run/holdfast.sock' })
    expect(statSync(join(scratch.data, 'owner.json')).mode & 0o777).toBe(0o600)
    await scene.store.close()
    expect(readOwner(scratch.data)).toBeNull()
  })
})
