import { describe, expect, it } from 'vitest'
import {
  bootedAtMs,
  gatewayProcess,
  homeId,
  type MadeProcess,
  opened,
  tableOf,
} from '../../../test/openclaw/processes.ts'
import type { ProcessTable } from '../../host/processes.ts'
import { processesOf } from '../gateway/users.ts'
import { judgeLock } from './judge.ts'
import type { LockFacts, LockPayload } from './verdict.ts'

const dir = '/home/bot/.openclaw'
const minuteMs = 60_000
const nowMs = Date.UTC(2026, 10, 26, 3)
const writtenMs = nowMs - 12 * minuteMs
/** Start ticks of a process that began so long before `nowMs`. */
const ticksAgo = (ms: number) => (nowMs - ms - bootedAtMs) / 10
const kworker: MadeProcess = { pid: 15, name: 'kworker/0:1', argv: [], kernel: true, startTicks: 5 }
const systemd: MadeProcess = { pid: 1, name: 'systemd', argv: ['/sbin/init'], uid: 0, startTicks: 1 }
const inContainer = { pidNamespace: 'pid:[4026532178]' }

function lock(payload: Partial<LockPayload> | { malformed: string }, more: Partial<LockFacts> = {}): LockFacts {
  return {
    path: `${dir}/agents/main/sessions/a.jsonl.lock`,
    what: 'file',
    identity: { dev: 254n, ino: 900n, bytes: 80n, mtimeNs: 0n, ctimeNs: 0n },
    mtimeMs: writtenMs,
    sha256: '',
    payload:
      'malformed' in payload
        ? payload
        : { pid: 7, createdAtMs: writtenMs, maxHoldMs: null, startTicks: null, ...payload },
    ...more,
  }
}

function judged(lock: LockFacts, processes: readonly MadeProcess[], more: Partial<ProcessTable> = {}) {
  const table = tableOf(processes, { files: { [dir]: homeId }, ...more })
  return judgeLock(lock, processesOf({ dir }, table), nowMs)
}

describe('a lock that names the start of its process', () => {
  const gateway = gatewayProcess({ pid: 8_931, ids: [8_931, 7], startTicks: 60_000, ...inContainer })

  it('is live when a process with that id and start is anywhere on the machine', () => {
    expect(judged(lock({ pid: 7, startTicks: 60_000 }), [systemd, gateway])).toMatchObject({
      verdict: 'live',
      pid: 7,
      proof: 'process 8931 (7 in its container, openclaw) started at tick 60000, as the lock says',
      holder: { pid: 8_931, container: 'pid:[4026532178]', hasItOpen: false },
    })
  })
  it('is recycled when the process with that id started at another tick', () => {
    expect(judged(lock({ pid: 7, startTicks: 50_000 }), [systemd, gateway])).toMatchObject({
      verdict: 'recycled',
      proof: 'process 8931 (7 in its container, openclaw) started at tick 60000, and the lock names 50000',
      holder: null,
    })
  })
  it('is dead when the gateway of the home is in a container where nobody has that id, whoever has it elsewhere', () => {
    const other = { pid: 9_100, ids: [9_100, 15], pidNamespace: 'pid:[4026532999]', startTicks: 70_000 }
    expect(judged(lock({ pid: 15, startTicks: 50_000 }), [systemd, kworker, other, gateway])).toMatchObject({
      verdict: 'dead',
      proof:
        'no process that may use this home has the id 15; process 15 (kworker/0:1) is a part of the kernel, and 1 more; ' +
        'its gateway is process 8931 (7 in its container, openclaw)',
    })
  })
  it('is not given to the host process that has the id of one in a container', () => {
    const inside = gatewayProcess({ pid: 8_931, ids: [8_931, 1], startTicks: 60_000, ...inContainer })
    expect(judged(lock({ pid: 1, startTicks: 60_000 }), [systemd, inside])).toMatchObject({
      verdict: 'live',
      holder: { pid: 8_931 },
    })
    expect(judged(lock({ pid: 1, startTicks: 60_000 }), [systemd])).toMatchObject({ verdict: 'dead' })
  })
  it('belongs to the id by which a process knows itself, not to the one by which others know it', () => {
    expect(judged(lock({ pid: 8_931, startTicks: 60_000 }), [systemd, gateway])).toMatchObject({ verdict: 'dead' })
  })
  it('is dead when its process has ended and waits to be collected', () => {
    const zombie = { pid: 7, startTicks: 60_000, state: 'Z' }
    expect(judged(lock({ startTicks: 60_000 }), [zombie])).toMatchObject({
      verdict: 'dead',
      proof: expect.stringContaining('has ended and waits to be collected'),
    })
  })
  it('cannot be told when that process counts its time from another start', () => {
    const shifted = { ...gateway, timeNamespace: 'time:[4026532500]', startTicks: 99_000, ownStartTicks: null }
    expect(judged(lock({ startTicks: 60_000 }), [shifted])).toMatchObject({
      verdict: 'unknown',
      proof: expect.stringContaining('time namespace'),
    })
  })
  it('is judged by the start that its process sees itself', () => {
    const moved = { ...gateway, timeNamespace: 'time:[4026532500]', startTicks: 99_000 }
    expect(judged(lock({ startTicks: 60_000 }), [{ ...moved, ownStartTicks: 60_000 }])).toMatchObject({
      verdict: 'live',
    })
    expect(judged(lock({ startTicks: 60_000 }), [{ ...moved, ownStartTicks: 61_000 }])).toMatchObject({
      verdict: 'recycled',
    })
    expect(judged(lock({ startTicks: 99_000 }), [{ ...moved, ownStartTicks: 60_000 }])).toMatchObject({
      verdict: 'recycled',
    })
  })
  it('cannot be told when its process is another user’s gateway, whose namespaces are not ours to see', () => {
    const hidden = { ...gateway, timeNamespace: null, pidNamespace: null, details: null }
    expect(judged(lock({ startTicks: 50_000 }), [hidden])).toMatchObject({
      verdict: 'unknown',
      proof: expect.stringContaining('belongs to another user'),
    })
    const daemon = { ...hidden, argv: ['/usr/sbin/sshd'], name: 'sshd', ids: [7], pid: 7 }
    expect(judged(lock({ startTicks: 50_000 }), [daemon])).toMatchObject({ verdict: 'recycled' })
  })
  it('cannot be told off Linux: no process there has such a start', () => {
    expect(judged(lock({ startTicks: 50_000 }), [systemd], { system: 'darwin' })).toMatchObject({ verdict: 'unknown' })
  })
})

describe('a lock that names no start', () => {
  it('is live when its process works on this home and ran before', () => {
    const gateway = gatewayProcess({ pid: 7, startTicks: ticksAgo(60 * minuteMs) })
    expect(judged(lock({}), [gateway])).toMatchObject({ verdict: 'live', overdue: true })
  })
  it('is recycled when the process with its id began well after it was written, and says both times', () => {
    const later = { pid: 7, argv: ['postgres'], name: 'postgres', startTicks: ticksAgo(minuteMs) }
    expect(judged(lock({}), [later])).toMatchObject({
      verdict: 'recycled',
      proof: 'process 7 (postgres) started 2026-11-26 02:59:00Z, and the lock was written 2026-11-26 02:48:00Z',
    })
  })
  it.each([
    ['to the millisecond, ten seconds after', 10_000, 'unknown'],
    ['a millisecond more', 10_010, 'recycled'],
  ])('is judged by time %s', (_, afterMs, verdict) => {
    const later = { pid: 7, argv: ['postgres'], name: 'postgres', startTicks: (writtenMs + afterMs - bootedAtMs) / 10 }
    expect(judged(lock({}), [later])).toMatchObject({ verdict })
  })
  it('is not judged by time where the clock may have been set since', () => {
    const later = { pid: 7, argv: ['postgres'], name: 'postgres', startTicks: ticksAgo(minuteMs) }
    expect(judged(lock({}), [later], { doubtMs: 60 * minuteMs })).toMatchObject({ verdict: 'unknown' })
    expect(judged(lock({}), [later], { doubtMs: Number.POSITIVE_INFINITY })).toMatchObject({ verdict: 'unknown' })
  })
  it('is recycled when the gateway took the same id again at its next start, and does not have it open', () => {
    const again = gatewayProcess({ pid: 8_931, ids: [8_931, 7], startTicks: ticksAgo(minuteMs), ...inContainer })
    expect(judged(lock({}), [again])).toMatchObject({
      verdict: 'recycled',
      proof: expect.stringContaining('is not open'),
    })
    const cut = { ...again, details: { ...again.details, cut: true } }
    expect(judged(lock({}), [cut])).toMatchObject({ verdict: 'unknown' })
  })
  it('is not the one of a gateway that works on another home, with the same id in its own container', () => {
    const openFiles = [opened('/srv/b/tasks/runs.sqlite')]
    const other = { pid: 9_000, ids: [9_000, 7], argv: ['openclaw'], startTicks: 5_000, details: { openFiles } }
    expect(judged(lock({}), [systemd, other])).toMatchObject({ verdict: 'dead' })
    expect(judged(lock({}), [systemd, { ...other, details: null }])).toMatchObject({ verdict: 'unknown' })
  })
  it('cannot be told when any process with its id ran before', () => {
    const shell = { pid: 7, argv: ['bash'], name: 'bash', startTicks: 5_000 }
    expect(judged(lock({}), [shell])).toMatchObject({
      verdict: 'unknown',
      proof: 'the lock names no start, and process 7 (bash) may have run when it was written',
    })
  })
  it('is judged by the time of the file when it says no time', () => {
    const later = { pid: 7, argv: ['postgres'], name: 'postgres', startTicks: ticksAgo(minuteMs) }
    expect(judged(lock({ createdAtMs: null }), [later])).toMatchObject({ verdict: 'recycled', ageMs: 12 * minuteMs })
  })
  it('is live off Linux, for a gateway that ran before, and recycled for what began after', () => {
    const before = { pid: 7, argv: ['openclaw-gateway'], startTicks: null, startedAtMs: writtenMs - minuteMs }
    const after = { ...before, startedAtMs: writtenMs + minuteMs }
    const mac = { system: 'darwin', look: () => null } as const
    expect(judged(lock({}), [before], mac)).toMatchObject({ verdict: 'live', holder: { hasItOpen: null } })
    expect(judged(lock({}), [after], mac)).toMatchObject({ verdict: 'recycled' })
    expect(judged(lock({}), [], mac)).toMatchObject({ verdict: 'dead' })
    expect(judged(lock({}), [{ ...before, startedAtMs: null }], mac)).toMatchObject({ verdict: 'unknown' })
  })
})

describe('any lock', () => {
  const open = [opened(`${dir}/agents/main/sessions/a.jsonl.lock`, { dev: 254n, ino: 900n })]

  it('is live when a process has its file open for writing, whatever it says', () => {
    const holder = { pid: 44, details: { openFiles: open } }
    for (const payload of [{ startTicks: 1 }, { pid: 99 }, { malformed: 'it is empty' }])
      expect(judged(lock(payload), [holder])).toMatchObject({ verdict: 'live', holder: { pid: 44, hasItOpen: true } })
    const reader = { pid: 44, details: { openFiles: open.map((file) => ({ ...file, writes: false })) } }
    expect(judged(lock({ startTicks: 1 }), [reader])).toMatchObject({ verdict: 'dead' })
  })
  it('is overdue past its limit to the millisecond, and five minutes where it names none', () => {
    const gateway = gatewayProcess({ pid: 7, startTicks: 600 })
    const held = (payload: Partial<LockPayload>) => judged(lock({ startTicks: 600, ...payload }), [gateway])
    expect(held({ maxHoldMs: 12 * minuteMs })).toMatchObject({ verdict: 'live', overdue: false })
    expect(held({ maxHoldMs: 12 * minuteMs - 1 })).toMatchObject({ verdict: 'live', overdue: true })
    expect(held({ createdAtMs: nowMs - 5 * minuteMs })).toMatchObject({ overdue: false })
    expect(held({ createdAtMs: nowMs - 5 * minuteMs - 1 })).toMatchObject({ overdue: true })
  })
  it('has the age of its file when it was written in the future', () => {
    expect(judged(lock({ createdAtMs: nowMs + minuteMs }), [])).toMatchObject({ ageMs: 12 * minuteMs, verdict: 'dead' })
    const both = lock({ createdAtMs: nowMs + minuteMs }, { mtimeMs: nowMs + minuteMs })
    expect(judged(both, [])).toMatchObject({ ageMs: 0 })
  })
  it('cannot be told when its file was written after the processes were listed', () => {
    const fresh = lock({ startTicks: 5, createdAtMs: nowMs + 1 }, { mtimeMs: nowMs + 1 })
    expect(judged(fresh, [])).toMatchObject({ verdict: 'unknown' })
  })
  it('that names nobody is malformed after thirty seconds, and may be one that is being written before', () => {
    const empty = (ageMs: number) => judged(lock({ malformed: 'it is empty' }, { mtimeMs: nowMs - ageMs }), [])
    expect(empty(30_000)).toMatchObject({ verdict: 'unknown', pid: null })
    expect(empty(30_001)).toMatchObject({ verdict: 'malformed', proof: 'it is empty', pid: null })
    expect(empty(-minuteMs)).toMatchObject({ verdict: 'unknown', ageMs: 0 })
  })
  it('that cannot be read is nobody’s to clear', () => {
    const closed = { ...lock({ malformed: '' }), payload: { unreadable: 'EACCES' } }
    expect(judged(closed, [])).toMatchObject({ verdict: 'unknown', proof: 'EACCES' })
  })
})

describe('where not all can be seen', () => {
  const outside = {
    own: {
      pid: 3,
      uid: 0,
      pidNamespace: 'pid:[9]',
      timeNamespace: null,
      unseen: { whose: 'outside', because: 'it runs in a container' },
    },
  } as const
  const volume = () => ({ point: '/data', shared: null })

  it('nobody is dead for not being seen', () => {
    expect(judged(lock({ startTicks: 5 }), [], { ...outside, mountOf: volume })).toMatchObject({
      verdict: 'unknown',
      proof: 'no process seen from here has the id 7, but it runs in a container',
    })
  })
  it('a holder that is seen is seen', () => {
    const gateway = gatewayProcess({ pid: 7, startTicks: 600 })
    expect(judged(lock({ startTicks: 600 }), [gateway], { ...outside, mountOf: volume })).toMatchObject({
      verdict: 'live',
    })
  })
  it('a home on the container’s own root is nobody else’s', () => {
    expect(judged(lock({ startTicks: 5 }), [], outside)).toMatchObject({ verdict: 'dead' })
  })
  it('what was written before the boot is dead, if the clock is to be believed', () => {
    const old = { createdAtMs: bootedAtMs - 60 * minuteMs, startTicks: 5 }
    const file = { mtimeMs: bootedAtMs - 60 * minuteMs }
    const seen = { ...outside, mountOf: volume }
    expect(judged(lock(old, file), [], seen)).toMatchObject({
      verdict: 'dead',
      proof: 'it was written 2026-11-19 23:00:00Z, and this machine booted 2026-11-20 00:00:00Z',
    })
    expect(judged(lock(old, file), [], { ...seen, doubtMs: 61 * minuteMs })).toMatchObject({ verdict: 'unknown' })
    expect(judged(lock(old), [], seen)).toMatchObject({ verdict: 'unknown' })
  })
  it('a home on a network may be another machine’s', () => {
    const nfs = { mountOf: () => ({ point: '/home', shared: 'nfs' }) }
    const old = lock({ createdAtMs: bootedAtMs - minuteMs, startTicks: 5 }, { mtimeMs: bootedAtMs - minuteMs })
    expect(judged(old, [], nfs)).toMatchObject({ verdict: 'unknown', proof: expect.stringContaining('nfs') })
  })
  it('other users’ processes may be hidden', () => {
    const own = { ...tableOf([]).own, uid: 1000, unseen: { whose: 'others', because: 'hidepid' } } as const
    expect(judged(lock({ startTicks: 5 }), [], { own })).toMatchObject({ verdict: 'unknown' })
  })
  it('a virtual machine that has a directory above the home may hold its locks, one that has another may not', () => {
    const machine = (path: string) => ({
      pid: 50,
      name: 'virtiofsd',
      argv: ['/usr/libexec/virtiofsd', `--shared-dir=${path}`],
    })
    expect(judged(lock({ startTicks: 5 }), [machine('/home')])).toMatchObject({ verdict: 'unknown' })
    expect(judged(lock({ startTicks: 5 }), [machine('/home/bo')])).toMatchObject({ verdict: 'dead' })
  })
})
