import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { holdfast } from '../../cli/program.ts'
import { buildHome } from '../build.ts'
import { startHolder } from '../holders.ts'
import { Ground } from '../unpack.ts'

/** Of no process: the kernel gives no id above 4,194,304. */
const nobody = 4_194_999
const minuteMs = 60_000

it('beside a gateway a keeper takes locks of nobody that stand, and leaves new ones to the gateway itself', async () => {
  using ground = new Ground()
  const built = buildHome(join(ground.root, 'home'), {
    agents: [
      {
        id: 'main',
        sessions: [{ key: 'agent:main:telegram:direct:1' }, { key: 'agent:main:telegram:direct:2' }],
        locks: [
          { of: 'agent:main:telegram:direct:1', pid: nobody, ageMs: 2 * minuteMs },
          { of: 'agent:main:telegram:direct:2', pid: nobody, ageMs: minuteMs / 2 },
        ],
      },
    ],
  })
  mkdirSync(join(built.dir, 'tasks'))
  const open = `${join(built.dir, 'tasks', 'runs.sqlite')} ${join(ground.root, 'gateway.7196fe4c.lock')}`
  const gateway = await startHolder({ locks: [], env: { KEEPS_OPEN: open } })
  const once = await holdfast(['keep', '--once', '--home', built.dir], { cwd: ground.root, env: { HOME: ground.root } })
  gateway.kill('SIGKILL')
  expect(once).toMatchObject({ code: 0 })
  expect(built.locks.map((path) => existsSync(path))).toEqual([false, true])
})
