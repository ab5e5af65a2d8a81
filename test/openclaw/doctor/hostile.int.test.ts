import { spawnSync } from 'node:child_process'
import { lstatSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bin, node } from '../../cli/processes.ts'
import { holdfast } from '../../cli/program.ts'
import { people } from '../crowd.ts'
import { Ground, unpackFixture } from '../unpack.ts'
import { hostileHome, secret } from './hostile-home.ts'
import { ageAccess, pictureOf } from './picture.ts'
import { homeIn } from './scenes.ts'

const main = join(bin, '..', '..', 'src', 'cli', 'main.ts')
/** Tells how much memory the process had at most, in KB. */
const telling = "data:text/javascript,process.on('exit',()=>process._rawDebug('maxRSS',process.resourceUsage().maxRSS))"

function doctorArgs(ground: Ground, words: string[]) {
  const env = {
    HOME: join(ground.root, 'user'),
    TMPDIR: ground.root,
    PATH: '/nowhere',
    NODE_DISABLE_COMPILE_CACHE: '1',
  }
  return {
    argv: ['--import', telling, main, ...words],
    options: { cwd: ground.root, env, encoding: 'utf8' as const, timeout: 50_000 },
  }
}

function run(
  ground: Ground,
  words: string[],
): { code: number | null; stdout: string; stderr: string; maxRssMb: number } {
  const { argv, options } = doctorArgs(ground, words)
  const { status, stdout, stderr } = spawnSync(node, argv, options)
  const maxRssMb = Number(/maxRSS (\d+)/.exec(stderr)?.[1] ?? Number.NaN) / 1_024
  return { code: status, stdout, stderr, maxRssMb }
}

const asRoot = process.getuid?.() === 0

describe.runIf(asRoot)('a home in which everything leads astray', () => {
  it('is looked at to the end, and nobody is told what was said in it', async () => {
    using ground = new Ground()
    hostileHome(ground, 1024 ** 2)
    const outputs = ['doctor', 'report', 'report --html', 'doctor --json'].map((line) => {
      const env = { HOME: join(ground.root, 'user'), PATH: '' }
      return holdfast([...line.split(' '), '--home', 'home'], { cwd: ground.root, env })
    })
    const ended = await Promise.all(outputs)
    for (const { stdout, stderr } of ended) {
      expect(stdout + stderr).not.toContain(secret)
      expect(stdout).not.toContain('\u001b')
    }
    const { homes } = JSON.parse(ended[3]?.stdout ?? '')
    const codes = homes[0].findings.map(({ code }: { code: string }) => code)
    expect(codes).toEqual(expect.arrayContaining(hostileCodes))
  })

  it('takes a bounded part of the memory, also for a line of a gigabyte', () => {
    using ground = new Ground()
    hostileHome(ground, 1024 ** 3)
    const { code, stdout, maxRssMb } = run(ground, ['doctor', '--home', 'home'])
    expect(code).toBe(1)
    expect(stdout).toContain('TRANSCRIPT_LONG_LINE')
    expect(maxRssMb).toBeLessThan(300)
  })

  it('is not left: nothing that its links, ids and paths name is opened', () => {
    using ground = new Ground()
    const { home } = hostileHome(ground, 1024 ** 2)
    const trace = join(ground.root, 'trace.txt')
    const { argv, options } = doctorArgs(ground, ['doctor', '--home', 'home'])
    const calls =
      'trace=open,openat,openat2,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,link,linkat,symlinkat,fchmodat,chmod,fchownat,chown,truncate,utimensat'
    spawnSync('strace', ['-f', '-qq', '-o', trace, '-e', calls, node, ...argv], {
      ...options,
      env: { ...options.env, PATH: process.env.PATH },
    })
    const lines = readFileSync(trace, 'utf8').split('\n')
    const paths = new Set(
      lines.filter((line) => !line.includes('= -1')).flatMap((line) => /"([^"]*)"/.exec(line)?.[1] ?? []),
    )
    expect([...paths].filter((path) => !isAllowed(path, home.dir, ground.root)).sort()).toEqual([])
    expect([...paths].some((path) => path.startsWith(home.dir))).toBe(true)
    expect(
      lines.filter((line) => line.includes(home.dir) && /O_WRONLY|O_RDWR|O_CREAT|^\d+ +(?! |open)/.test(line)),
    ).toEqual([])
  })
})

/** What a program of Node's opens anyway, who runs here, and where Holdfast and gateways say that they are at work. */
function isAllowed(path: string, home: string, root: string): boolean {
  const ofNode = [
    '/etc/ld.so.cache',
    '/etc/ssl/openssl.cnf',
    '/etc/localtime',
    '/dev/null',
    '/dev/urandom',
    '/etc/nsswitch.conf',
    '/etc/passwd',
  ]
  const schedules = ['/etc/crontab', '/etc/cron.d', '/etc/systemd/system']
  const folders = [
    '/proc',
    '/sys',
    '/lib',
    '/usr/lib',
    '/usr/share',
    '/usr/local/lib',
    join(main, '..', '..', '..'),
    ...schedules,
    home,
  ]
  const isIn = (folder: string) => path === folder || path.startsWith(`${folder}/`)
  if (/^\/tmp(?:\/openclaw(?:-\d+)?(?:\/gateway\.[\w.]+)?)?$/.test(path)) return true
  return ofNode.includes(path) || path === root || folders.some(isIn) || /\/node_modules\//.test(path)
}

/** Told of the hostile home, whatever the machine is. */
const hostileCodes = [
  'INDEX_UNREADABLE',
  'ENTRY_UNSAFE_ID',
  'ENTRY_WITHOUT_TRANSCRIPT',
  'TRANSCRIPT_WITHOUT_ENTRY',
  'TRANSCRIPT_TORN',
  'TRANSCRIPT_WELDED',
  'TRANSCRIPT_HEADER',
  'ODD_FILES',
  'PLACE_UNREADABLE',
  'LOCK_DEAD',
  'LOCK_MALFORMED',
]

describe('looking changes nothing', () => {
  it.each([
    ['2026.5.18', 1],
    ['2026.9.6', 0],
  ] as const)('in the home that %s wrote', (version, expected) => {
    using ground = new Ground()
    const { dir } = unpackFixture(version, ground.root)
    ageAccess(dir)
    const before = pictureOf(dir)
    const { code } = run(ground, ['doctor', '--home', dir, '--check'])
    expect(code).toBe(expected)
    expect(pictureOf(dir)).toEqual(before)
  })
  it.runIf(asRoot)('in one that is full of faults', () => {
    using ground = new Ground()
    const { home } = hostileHome(ground, 1024 ** 2)
    ageAccess(home.dir)
    const before = pictureOf(home.dir)
    run(ground, ['doctor', '--home', 'home'])
    expect(pictureOf(home.dir)).toEqual(before)
  })
  it('and the picture would show it', () => {
    using ground = new Ground()
    const home = homeIn(ground, { agents: [{ id: 'main', sessions: people(1) }] })
    const before = pictureOf(home.dir)
    const path = home.sessions[0]?.path ?? ''
    utimesSync(path, 1, lstatSync(path).mtimeMs / 1_000)
    expect(pictureOf(home.dir)).not.toEqual(before)
  })
})
