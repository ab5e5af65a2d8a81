import { describe, expect, it } from 'vitest'
import {
  containerOf,
  hidesOthers,
  mountAt,
  parseBootOffset,
  parseCmdline,
  parseEnviron,
  parseMounts,
  parseStat,
  parseStatus,
} from './proc-text.ts'

const rest = '1 1 1 0 -1 4194560 100 0 0 0 30 12 0 0 20 0 1 0 61061 1000 50'

describe('/proc/<pid>/stat', () => {
  it('tells the start and the time used, whatever the name of the process has in it', () => {
    const facts = { state: 'S', parent: 1, kernel: false, cpuTicks: 42, startTicks: 61_061 }
    for (const name of ['openclaw', 'a) S 1 1 (b', ') R 9', '']) {
      expect(parseStat(`9409 (${name}) S ${rest}\n`)).toEqual({ name, ...facts })
    }
  })
  it('tells parts of the kernel by their flag', () => {
    expect(parseStat('15 (kworker/0:1) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0')).toMatchObject({
      kernel: true,
    })
  })
  it.each(['', '1', '1 (a', '1 (a) S 1'])('is nothing where it is cut: %j', (text) =>
    expect(parseStat(text)).toBeNull(),
  )
})

it('reads ids from our namespace inwards, and none where the kernel does not tell', () => {
  const text = 'Name:\tnode\nUid:\t1000\t1001\t1000\t1000\nNSpid:\t8931\t40\t7\n'
  expect(parseStatus(text)).toEqual({ uid: 1001, ids: [8931, 40, 7] })
  expect(parseStatus('Uid:\t0\t0\t0\t0\n')).toEqual({ uid: 0, ids: [] })
  expect(parseStatus('')).toEqual({ uid: null, ids: [] })
})

it('takes the padding of a title for nothing', () => {
  expect(parseCmdline(`openclaw${'\0'.repeat(80)}`)).toEqual(['openclaw'])
  expect(parseCmdline('node\0a b\0\0gateway\0')).toEqual(['node', 'a b', 'gateway'])
})

it('takes only named variables out of an environment', () => {
  const text = 'HOME=/home/bot\0OPENCLAW_GATEWAY_TOKEN=secret\0OPENCLAW_STATE_DIR=/a=b\0=x\0HOMEX=1'
  expect(parseEnviron(text, ['HOME', 'OPENCLAW_STATE_DIR'])).toEqual({ HOME: '/home/bot', OPENCLAW_STATE_DIR: '/a=b' })
})

it('reads by how much a boot is moved, in whole ticks', () => {
  const text = (boottime: string) => `monotonic           5         0\nboottime       ${boottime}\n`
  expect(parseBootOffset(text('100000         0'))).toBe(10_000_000)
  expect(parseBootOffset(text('-1         990000000'))).toBe(-1)
  expect(parseBootOffset(text('0         5000000'))).toBeNull()
  expect(parseBootOffset('')).toBeNull()
})

const id = '5bb7c380f63fa7cdeed3c45feceba5945bb7c380f63fa7cdeed3c45feceba594'
it.each([
  [`0::/system.slice/docker-${id}.scope`, id.slice(0, 12)],
  [`12:pids:/docker/${id}\n0::/`, id.slice(0, 12)],
  [`0::/machine.slice/libpod-${id}.scope/container`, id.slice(0, 12)],
  [`0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope`, id.slice(0, 12)],
  ['0::/lxc.payload.bot-1/init.scope', 'bot-1'],
  ['0::/machine.slice/systemd-nspawn@bot.service/payload', 'bot'],
  ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/openclaw.service', null],
  ['0::/', null],
  ['', null],
])('names the container of %s', (text, container) => expect(containerOf(text)).toBe(container))

describe('mounts', () => {
  const mounts = parseMounts(
    [
      '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
      '22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw,hidepid=invisible',
      '30 27 8:1 / /srv/a\\040b rw - ext4 /dev/sda rw',
      '31 27 8:2 / /srv rw master:1 - ext4 /dev/sdb rw',
    ].join('\n'),
  )
  it('are found by the longest point', () => {
    expect(mountAt(mounts, '/srv/a b/c')?.point).toBe('/srv/a b')
    expect(mountAt(mounts, '/srv/a')?.point).toBe('/srv')
    expect(mountAt(mounts, '/srvx')?.point).toBe('/')
    expect(mountAt([], '/')).toBeNull()
  })
  it('tell whether other users are hidden', () => {
    const proc = (options: string) => parseMounts(`22 27 0:21 / /proc rw - proc proc ${options}`)
    expect(hidesOthers(mounts)).toBe(true)
    expect(['rw', 'rw,hidepid=0', 'rw,hidepid=off'].map((each) => hidesOthers(proc(each)))).toEqual([
      false,
      false,
      false,
    ])
    expect(['rw,hidepid=1', 'hidepid=ptraceable,gid=4'].map((each) => hidesOthers(proc(each)))).toEqual([true, true])
  })
})
