/**
 * `node killed.ts DIRECTORY ACT AT`: does one act of retention on a store and is killed before its AT-th step, which is a call of
 * the store or a change of a file. Prints how many steps there were when it was not killed.
 */
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const [directory = '', act = '', at = '0'] = process.argv.slice(2)
const killAt = Number(at)
let steps = 0

function step(): void {
  steps += 1
  if (steps === killAt) process.kill(process.pid, 'SIGKILL')
}

const ofFiles = ['rename', 'rm', 'mkdir', 'rmdir'] as const
for (const name of ofFiles) {
  const real = promises[name] as (...given: unknown[]) => Promise<unknown>
  Object.assign(promises, {
    [name]: (...given: unknown[]) => {
      step()
      return real(...given)
    },
  })
}
const ofHandles = ['write', 'appendFile', 'sync', 'truncate']
const realOpen = promises.open
promises.open = async (...given) => {
  const handle = await realOpen(...given)
  for (const name of ofHandles) {
    const real = Reflect.get(handle, name).bind(handle)
    Reflect.set(handle, name, (...of: unknown[]) => {
      step()
      return real(...of)
    })
  }
  return handle
}
syncBuiltinESMExports()

const staying = setInterval(() => {}, 2 ** 30) // the clock's timers keep no process alive
const { openHoldfast } = await import('../../../src/engine/holdfast.ts')
const { parseSessionKey } = await import('../../../src/model/keys.ts')
const { defaultRetentionPolicy } = await import('../../../src/retention/policy.ts')
const { sqliteStore } = await import('../../../src/sqlite/open.ts')

const counted = [
  'takeOut',
  'purge',
  'putBack',
  'moveArchived',
  'dropArchived',
  'enterArchived',
  'deleteSession',
  'giveBack',
]
const open = sqliteStore(directory)
const archives = act === 'rotate' ? { ageMaxMs: 1, bytesMax: null } : defaultRetentionPolicy.archives
const trashMaxMs = act === 'expire' ? 0 : defaultRetentionPolicy.trashMaxMs
await using engine = await openHoldfast({
  run: null,
  archives: directory,
  settings: { retention: { ...defaultRetentionPolicy, archives, trashMaxMs } },
  store: async (input) => {
    const store = await open(input)
    return new Proxy(store, {
      get(target, name) {
        const verb = Reflect.get(target, name)
        if (typeof verb !== 'function') return verb
        if (!counted.includes(String(name))) return verb.bind(target)
        return async (...given: unknown[]) => {
          step()
          const result = await verb.apply(target, given)
          step() // durable, and its caller does not know
          return result
        }
      },
    })
  },
})
switch (act) {
  case 'undo':
    for (const place of ['archives', 'trash']) {
      for (const folder of await promises.readdir(`${directory}/${place}`)) await engine.retention.undo(folder)
    }
    break
  case 'forget':
    await engine.retention.deleteForever(parseSessionKey('cron:job:run:1'))
    break
  default:
    for await (const _ of engine.retention.sweep({ apply: true, trustClock: false })) {
      // until its end
    }
}
process.stdout.write(`${steps}\n`)
clearInterval(staying)
