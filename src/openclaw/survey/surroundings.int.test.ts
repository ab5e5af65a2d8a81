import { chmodSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildHome } from '../../../test/openclaw/build.ts'
import { people } from '../../../test/openclaw/crowd.ts'
import type { BuiltHome } from '../../../test/openclaw/plans.ts'
import { Ground } from '../../../test/openclaw/unpack.ts'
import { systemClock } from '../../host/clock.ts'
import { runCommand } from '../../host/commands.ts'
import { beginRun } from '../changes/begin.ts'
import { listDirectory } from '../files/list.ts'
import type { Home } from '../home/home.ts'
import { defaultHomePolicy } from '../home/policy.ts'
import { planSchedule } from '../schedule/plan.ts'
import { readSchedule } from './schedule.ts'
import { cloudOf, surroundingsOf } from './surroundings.ts'

const minuteMs = 60_000
const schedule = { entries: [], unreadable: [] }

function homeIn(ground: Ground): { built: BuiltHome; home: Home } {
  const sessions = people(3)
  const leftovers = [{ kind: 'deleted' as const, ageMs: 1_000 * minuteMs, bytes: 4_000 }]
  const built = buildHome(join(ground.root, '.openclaw'), { agents: [{ id: 'main', sessions, leftovers }] })
  const sessionsDir = built.sessionsDir('main')
  const agents = [{ id: 'main', sessionsDir, indexPath: join(sessionsDir, 'sessions.json'), databasePath: null }]
  const rest = { configPath: null, elsewhere: null, policy: defaultHomePolicy, receipts: [], unreadable: [] }
  return { built, home: { dir: built.dir, generation: 'files', version: null, agents, ...rest } }
}

function around(home: Home, nowMs = Date.now()) {
  return surroundingsOf(home, { nowMs, sizes: false, check: false, schedule, siblings: [] })
}

describe('around the sessions', () => {
  it('modes and owners are seen as far as they matter', async () => {
    using ground = new Ground()
    const { home } = homeIn(ground)
    writeFileSync(join(home.dir, '.env'), 'KEY=x', { mode: 0o644 })
    chmodSync(home.dir, 0o755)
    const { paths, reachable } = await around(home)
    expect(paths.find(({ path }) => path === home.dir)).toMatchObject({ mode: 0o755, what: 'directory' })
    expect(paths.find(({ path }) => path.endsWith('/.env'))).toMatchObject({ mode: 0o644, what: 'file' })
    expect(reachable).toBe(false) // the ground is 0700
    chmodSync(ground.root, 0o711)
    expect((await around(home)).reachable).toBe(true)
  })

  it('lists of bound threads are read in both of their shapes, and a broken one is told', async () => {
    using ground = new Ground()
    const { home } = homeIn(ground)
    const write = (path: string, value: unknown) => {
      mkdirSync(join(home.dir, path, '..'), { recursive: true })
      writeFileSync(join(home.dir, path), typeof value === 'string' ? value : JSON.stringify(value))
    }
    const one = { targetSessionKey: 'agent:main:acp:1', boundAt: 5, lastActivityAt: 9 }
    write('discord/thread-bindings.json', { version: 1, bindings: { 'default:7': one, other: { threadId: '8' } } })
    write('telegram/thread-bindings-default.json', { version: 1, bindings: [{ ...one, lastActivityAt: undefined }] })
    write('telegram/thread-bindings-broken.json', '{"version":1,"bindi')
    write('telegram/update-offset-default.json', {})
    write('matrix/accounts/a/server/token/thread-bindings.json', { version: 1, bindings: [one] })
    symlinkSync('/etc/passwd', join(home.dir, 'matrix', 'thread-bindings.json'))
    const { bindings } = await around(home)
    const found = bindings.lists.map(({ judged, bindings: threads }) => {
      return [judged.path.slice(home.dir.length), threads.map(({ key, usedAtMs }) => [key, usedAtMs])]
    })
    expect(found).toEqual([
      ['/discord/thread-bindings.json', [['agent:main:acp:1', 9]]],
      ['/telegram/thread-bindings-default.json', [['agent:main:acp:1', 5]]],
      ['/matrix/accounts/a/server/token/thread-bindings.json', [['agent:main:acp:1', 9]]],
    ])
    expect(bindings.unreadable.map(({ path, because }) => [path.slice(home.dir.length), because])).toEqual([
      ['/telegram/thread-bindings-broken.json', 'it is no list of bindings'],
      ['/matrix/thread-bindings.json', expect.stringContaining('link')],
    ])
  })

  it('sessions of an early release are counted', async () => {
    using ground = new Ground()
    const { home } = homeIn(ground)
    mkdirSync(join(home.dir, 'sessions'))
    for (const name of ['sessions.json', 'a.jsonl', 'README']) writeFileSync(join(home.dir, 'sessions', name), '12345')
    expect((await around(home)).legacy).toEqual([{ path: join(home.dir, 'sessions'), files: 2, bytes: 10 }])
  })

  it('what Holdfast has put away is counted, and a run that was killed is named once it is no more at work', async () => {
    using ground = new Ground()
    const { built, home } = homeIn(ground)
    expect((await around(home)).archives).toMatchObject({ state: 'absent', runs: 0 })
    const listed = await listDirectory(home.dir, built.sessionsDir('main'))
    const found = listed?.find(({ name }) => name.includes('.deleted.'))
    if (found === undefined) throw new Error('nothing to put away')
    const judged = { path: join(built.sessionsDir('main'), found.name), identity: found.identity, sha256: null }
    let manifest = ''
    {
      await using run = beginRun(home, 'clean', { clock: systemClock })
      await run.archive(judged, { kind: 'archive-leftover', because: 'a test', key: null })
      manifest = run.manifest ?? ''
    }
    const archives = (await around(home)).archives
    expect(archives).toMatchObject({ state: 'read', runs: 1, unfinished: [] })
    expect(archives.bytes).toBeGreaterThan(100)
    const lines = readFileSync(manifest, 'utf8').trimEnd().split('\n')
    writeFileSync(manifest, `${lines.slice(0, -1).join('\n')}\n`)
    expect((await around(home)).archives.unfinished).toEqual([])
    utimesSync(manifest, 1, 1)
    expect((await around(home)).archives.unfinished).toHaveLength(1)
  })
})

it.each([
  ['/Users/a/Library/Mobile Documents/com~apple~CloudDocs/.openclaw', 'iCloud'],
  ['/home/a/Dropbox/bots/.openclaw', 'Dropbox'],
  ['/home/a/Dropbox (Work)/.openclaw', 'Dropbox'],
  ['C:\\Users\\a\\OneDrive - Company\\.openclaw', 'OneDrive'],
  ['/Users/a/Library/CloudStorage/OneDrive-Personal/.openclaw', 'OneDrive'],
  ['/Users/a/Library/CloudStorage/Box-Box/.openclaw', 'a cloud'],
  ['/Users/a/Google Drive/.openclaw', 'Google Drive'],
  ['/home/dropboxer/.openclaw', null],
  ['/home/a/.openclaw', null],
])('the cloud of %s is %s', (dir, cloud) => expect(cloudOf(dir)).toBe(cloud))

describe.runIf(process.platform === 'linux')('a schedule', () => {
  /** Programs of a machine, as small scripts. */
  function machine(ground: Ground, programs: Record<string, string>) {
    const bin = join(ground.root, 'bin')
    mkdirSync(bin)
    for (const [name, text] of Object.entries(programs)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
    }
    return { run: runCommand, env: { PATH: bin }, cwd: ground.root, userHome: ground.root }
  }

  function ours(entries: Awaited<ReturnType<typeof readSchedule>>['entries'], root: string) {
    return entries.filter(({ homes }) => homes.some((home) => home.startsWith(root)))
  }

  it('of a crontab is found, with a home that is gone and a log that nobody can write', async () => {
    using ground = new Ground()
    const { home } = homeIn(ground)
    const gone = join(ground.root, 'gone')
    const log = join(ground.root, 'no-such-folder', 'keep.log')
    const line = `*/5 * * * * /opt/none/holdfast keep --home ${home.dir} --home ${gone} --log ${log}`
    const { entries, unreadable } = await readSchedule(machine(ground, { crontab: `echo '${line}'` }))
    expect(unreadable).toEqual([])
    expect(ours(entries, ground.root)).toEqual([
      {
        ...{ kind: 'cron', path: 'crontab', command: 'keep', homes: [home.dir, gone], missingHomes: [gone] },
        ...{ missingProgram: '/opt/none/holdfast', log: { path: log, writable: false }, active: null },
      },
    ])
  })

  it('of systemd is found as it was installed, and whether it is in force', async () => {
    using ground = new Ground()
    const { home } = homeIn(ground)
    const folder = join(ground.root, '.config', 'systemd', 'user')
    const program = { node: process.execPath, script: join(import.meta.dirname, '../../../bin/holdfast.mjs') }
    const logFile = join(home.dir, 'keep.log')
    const plan = planSchedule({
      ...{ kind: 'systemd', scope: 'user', homes: [home.dir], program, logFile, configFile: null, folder },
      mode: null,
      prestartUnit: 'openclaw-gateway.service',
    })
    for (const { path, text } of plan.files) {
      mkdirSync(join(path, '..'), { recursive: true })
      writeFileSync(path, text)
    }
    for (const [answer, code, active] of [
      ['enabled', 0, true],
      ['disabled', 1, false],
      ['', 1, null],
    ] as const) {
      using other = new Ground()
      const outside = machine(other, { systemctl: `[ -n '${answer}' ] && echo '${answer}'; exit ${code}` })
      const { entries } = await readSchedule({ ...outside, userHome: ground.root })
      expect(ours(entries, ground.root)).toMatchObject([
        { command: 'keep', homes: [home.dir], missingProgram: null, log: { path: logFile, writable: true }, active },
        { command: 'prestart', homes: [home.dir], log: null, active: null },
      ])
    }
  })

  it('that cannot be looked at is told, and one that is not there is none', async () => {
    using ground = new Ground()
    const failing = await readSchedule(machine(ground, { crontab: 'echo "no permission" >&2; exit 1' }))
    expect(failing.unreadable).toEqual([{ path: 'crontab', because: 'crontab -l failed' }])
    using other = new Ground()
    const none = await readSchedule(machine(other, { crontab: 'echo "no crontab for bot" >&2; exit 1' }))
    expect(none.unreadable).toEqual([])
  })
})
