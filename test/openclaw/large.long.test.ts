import { lstatSync, truncateSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { expect, it } from 'vitest'
import { systemClock as clock } from '../../src/host/clock.ts'
import { beginRun } from '../../src/openclaw/changes/begin.ts'
import { undoRun } from '../../src/openclaw/changes/undo/undo.ts'
import { identityOf } from '../../src/openclaw/files/identity.ts'
import { noteOf, Scratch } from './scratch.ts'

const largeBytes = 1024 ** 3
/** A chunk, what is on its way through compression, and what nobody has collected yet. */
const heldBytesMax = 256 * 1024 ** 2

it('a file of a gigabyte goes to the archive and comes back in bounded memory', async () => {
  await using scratch = await Scratch.open()
  const path = scratch.write('large.jsonl', 'a line\n')
  truncateSync(path, largeBytes)
  let most = 0
  const meter = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers)
  }, 20)
  let run = ''
  {
    await using open = beginRun(scratch.home, 'clean', { clock })
    const judged = { path, identity: identityOf(lstatSync(path, { bigint: true })), sha256: null }
    expect(await open.archive(judged, noteOf())).toEqual({ done: true, bytes: largeBytes })
    run = basename(dirname(open.manifest ?? ''))
  }
  const how = {
    clock,
    gatewayNow: async () => ({ state: 'stopped' as const, proof: 'this test' }),
    dryRun: false,
    only: null,
  }
  expect((await undoRun(scratch.home, run, how)).steps).toMatchObject([{ done: true, bytes: largeBytes }])
  clearInterval(meter)
  expect(lstatSync(path).size).toBe(largeBytes)
  expect(most).toBeLessThan(heldBytesMax)
})
