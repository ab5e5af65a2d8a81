import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { homeId, type MadeProcess, opened, ownNamespaces, tableOf } from '../../../test/openclaw/processes.ts'
import type { ProcessTable } from '../../host/processes.ts'
import { processesOf } from '../gateway/users.ts'
import { clearable } from './clear.ts'
import { judgeLock } from './judge.ts'
import type { JudgedLock, LockFacts } from './verdict.ts'

const dir = '/home/bot/.openclaw'
const nowMs = Date.UTC(2026, 10, 26, 3)
const secondMs = 1_000
const lockFile = { dev: 254n, ino: 900n }

/** A process as it really is, whoever may see how much of it. */
interface Real {
  pid: number
  /** In its container; null: it is in none. */
  inner: number | null
  container: number
  uid: number
  /** Since boot, in ticks. */
  startTicks: number
  program: 'gateway' | 'node' | 'other' | 'kernel'
  ended: boolean
  /** Its own clock is ahead by so many ticks (a time namespace). */
  shift: number
  /** The kernel tells by how many. */
  shiftTold: boolean
  works: 'here' | 'elsewhere' | 'nowhere'
}

/** Where we look from. */
interface View {
  from: 'root' | 'user' | 'hidepid' | 'container'
  /** A container’s own root instead of a volume; only who is inside can write there. */
  ownRoot: boolean
  shared: boolean
}

interface World {
  processes: Real[]
  view: View
  /** Which of the processes has the lock, if it has not ended. */
  holder: number
  holderLives: boolean
  namesStart: boolean
  keepsOpen: boolean
  heldForMs: number
  /** The clock was set ahead by so much after the lock was taken; the kernel's witnesses tell. */
  clockSetMs: number
  system: 'linux' | 'darwin'
}

const real = fc.record({
  pid: fc.integer({ min: 2, max: 12 }),
  inner: fc.option(fc.integer({ min: 1, max: 4 }), { nil: null }),
  container: fc.integer({ min: 1, max: 2 }),
  uid: fc.constantFrom(0, 1000, 1001),
  startTicks: fc.integer({ min: 1, max: 6 }).map((each) => each * 2_000),
  program: fc.constantFrom('gateway', 'gateway', 'node', 'other', 'kernel') as fc.Arbitrary<Real['program']>,
  ended: fc.boolean(),
  shift: fc.constantFrom(0, 0, 0, 5_000),
  shiftTold: fc.boolean(),
  works: fc.constantFrom('here', 'elsewhere', 'nowhere') as fc.Arbitrary<Real['works']>,
})

const world: fc.Arbitrary<World> = fc.record({
  processes: fc.uniqueArray(real, { selector: ({ pid }) => pid, minLength: 1, maxLength: 8 }),
  view: fc.record({
    from: fc.constantFrom('root', 'root', 'user', 'hidepid', 'container') as fc.Arbitrary<View['from']>,
    ownRoot: fc.boolean(),
    shared: fc.constantFrom(false, false, true),
  }),
  holder: fc.nat(7),
  holderLives: fc.boolean(),
  namesStart: fc.boolean(),
  keepsOpen: fc.boolean(),
  heldForMs: fc.constantFrom(0, 5 * secondMs, 20 * secondMs, 15 * 60 * secondMs),
  clockSetMs: fc.constantFrom(0, 0, 3_600 * secondMs),
  system: fc.constantFrom('linux', 'linux', 'linux', 'darwin') as fc.Arbitrary<World['system']>,
})

const uptimeMs = 1_000 * secondMs

/** Ids are given once in each namespace, and a holder is a process that can hold a lock. */
function settled(given: World): World | null {
  const inners = given.processes
    .filter(({ inner }) => inner !== null)
    .map(({ container, inner }) => `${container}:${inner}`)
  if (new Set(inners).size !== inners.length) return null
  const holder = given.processes[given.holder % given.processes.length]
  if (holder === undefined || holder.program === 'kernel') return null
  // A lock is not older than its holder.
  if (given.heldForMs > uptimeMs - holder.startTicks * 10) return null
  // Whoever writes to what only one container can reach is in it.
  const { from, ownRoot } = given.view
  if (from === 'container' && ownRoot && (holder.inner === null || holder.container !== 1)) return null
  // Tools that are no OpenClaw, and have a clock of their own, and are another user's, are not looked for.
  if (holder.program === 'other' && holder.shift > 0) return null
  if (given.system === 'darwin' && given.processes.some(({ inner, shift }) => inner !== null || shift > 0)) return null
  return given
}

/** As it can be known: what is not ours to see is taken for like ours. */
function ownStart({ startTicks, shift, shiftTold }: Real, isTold: boolean): number | null {
  if (!isTold || shift === 0) return startTicks
  return shiftTold ? startTicks + shift : null
}

function look(given: World): JudgedLock {
  const { processes, view, holderLives, namesStart, keepsOpen, heldForMs, clockSetMs, system } = given
  const holder = processes[given.holder % processes.length] as Real
  const bootedAtMs = nowMs - uptimeMs
  // What had been written before the clock was set is that much earlier than it would be now.
  const takenAtMs = nowMs - heldForMs - clockSetMs
  const lock: LockFacts = {
    path: `${dir}/agents/main/sessions/a.jsonl.lock`,
    what: 'file',
    identity: { ...lockFile, bytes: 80n, mtimeNs: 0n, ctimeNs: 0n },
    mtimeMs: takenAtMs,
    sha256: '',
    payload: {
      pid: holder.inner ?? holder.pid,
      createdAtMs: takenAtMs,
      maxHoldMs: null,
      startTicks: namesStart && system === 'linux' ? holder.startTicks + holder.shift : null,
    },
  }
  const there = processes.filter((each) => each !== holder || holderLives)
  const seen = there.filter((each) => {
    if (view.from === 'container') return each.inner !== null && each.container === 1
    return view.from !== 'hidepid' || each.uid === 1000
  })
  const isTold = ({ uid }: Real) => view.from === 'root' || view.from === 'container' || uid === 1000
  const made = seen.map((each): MadeProcess => {
    const alive = each === holder ? true : !each.ended
    const isHolder = each === holder
    const openFiles = [
      ...(each.works === 'here' ? [opened(`${dir}/tasks/runs.sqlite`)] : []),
      ...(each.works === 'elsewhere' ? [opened('/srv/other/tasks/runs.sqlite')] : []),
      // Gateways always keep it open; other tools may not.
      ...(isHolder && (keepsOpen || each.program === 'gateway') ? [opened(lock.path, lockFile)] : []),
    ]
    const argv = { gateway: ['openclaw-gateway'], node: ['node', 'tool.js'], other: ['python3'], kernel: [] }[
      each.program
    ]
    const pidNamespace = each.inner === null ? ownNamespaces.pidNamespace : `pid:[${each.container}]`
    const timeNamespace = each.shift > 0 ? 'time:[9]' : ownNamespaces.timeNamespace
    const inside = view.from === 'container'
    return {
      pid: inside ? (each.inner ?? 0) : each.pid,
      ids: each.inner === null || inside ? [inside ? (each.inner ?? 0) : each.pid] : [each.pid, each.inner],
      uid: each.uid,
      argv,
      name: argv[0] ?? 'kworker',
      kernel: each.program === 'kernel',
      state: alive ? 'S' : 'Z',
      startTicks: system === 'linux' ? each.startTicks : null,
      ownStartTicks: system === 'linux' ? ownStart(each, isTold(each)) : null,
      startedAtMs: bootedAtMs + each.startTicks * 10,
      pidNamespace: isTold(each) ? pidNamespace : null,
      timeNamespace: isTold(each) ? timeNamespace : null,
      details: isTold(each) && system === 'linux' ? { openFiles } : null,
    }
  })
  const unseen = {
    root: null,
    user: null,
    hidepid: { whose: 'others', because: 'hidepid' },
    container: { whose: 'outside', because: 'in a container' },
  }[view.from] as ProcessTable['own']['unseen']
  const table = tableOf(made, {
    system,
    files: { [dir]: homeId, [`${dir}/tasks`]: { dev: 254n, ino: 78n } },
    readAtMs: nowMs,
    bootedAtMs,
    doubtMs: system === 'linux' ? clockSetMs : 0,
    own: { pid: 99, uid: view.from === 'root' ? 0 : 1000, ...ownNamespaces, unseen },
    mountOf: () => ({ point: view.ownRoot ? '/' : '/data', shared: view.shared ? 'nfs' : null }),
  })
  return judgeLock(lock, processesOf({ dir }, table), nowMs)
}

describe('whatever runs, wherever one looks from', () => {
  it('the lock of a holder that lives is never one to be cleared', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const given = settled({
          ...drawn,
          holderLives: true,
          clockSetMs: drawn.system === 'linux' ? drawn.clockSetMs : 0,
        })
        fc.pre(given !== null)
        expect(clearable(look(given))).toBeNull()
      }),
      { numRuns: 3_000 },
    )
  })

  it('the lock of one that has ended is never said to be live, where it names a start', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const given = settled({ ...drawn, holderLives: false, namesStart: true, system: 'linux' })
        fc.pre(given !== null)
        const holder = given.processes[given.holder % given.processes.length] as Real
        // Another one with the same id in another container, that began in the same hundredth of a second, is it as far as anybody can tell.
        const isTwin = (each: Real) =>
          each !== holder &&
          (each.inner ?? each.pid) === (holder.inner ?? holder.pid) &&
          [each.startTicks, each.startTicks + each.shift].includes(holder.startTicks + holder.shift)
        fc.pre(!given.processes.some(isTwin))
        expect(look(given).verdict).not.toBe('live')
      }),
      { numRuns: 3_000 },
    )
  })

  it('the lock of one that has ended is cleared where root looks from the host and is told how clocks were moved', () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const view: View = { from: 'root', ownRoot: true, shared: false }
        const given = settled({ ...drawn, view, holderLives: false, namesStart: true, system: 'linux' })
        fc.pre(given?.processes.every(({ shift, shiftTold }) => shift === 0 || shiftTold) === true)
        const verdict = look(given as World).verdict
        fc.pre(verdict !== 'live') // a twin, see above
        expect(['dead', 'recycled']).toContain(verdict)
      }),
      { numRuns: 2_000 },
    )
  })
})
