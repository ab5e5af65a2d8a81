import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cause } from '../../../src/openclaw/keep/alerts.ts'
import type { KeeperNote } from '../../../src/openclaw/keep/note.ts'
import type { KeeperStatus } from '../../../src/openclaw/keep/status.ts'
import { forgetCompiled, holdfastProcess, killStarted, node, spawnHoldfast } from '../../cli/processes.ts'
import { Bot, botKey } from '../bot.ts'
import { startHolder } from '../holders.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Old enough to go by any rule. */
const leftovers = [{ kind: 'deleted' as const, ageMs: 200 * dayMs }]

let bot: Bot
let children: { kill(signal: 'SIGKILL'): boolean }[]
beforeEach(() => {
  bot = new Bot({ leftovers })
  children = []
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await killStarted()
  bot[Symbol.dispose]()
})
afterAll(forgetCompiled)

const scene = () => ({ cwd: bot.top, env: { HOME: bot.top } })
const leftover = () => existsSync(bot.built.leftovers[0] as string)
const lock = () => `${bot.built.session(botKey).path}.lock`

interface Kept {
  child: ReturnType<typeof spawnHoldfast>['child']
  ended: ReturnType<typeof spawnHoldfast>['ended']
  url: string
  status(): Promise<KeeperStatus>
  /** Resolves once this task has run so often. */
  ran(task: 'locks' | 'clean', runs: number): Promise<void>
}

/** A resident keeper of the bot's home, once it has said where its status is. */
async function keep(...more: string[]): Promise<Kept> {
  const argv = ['keep', '--home', bot.home, '--port', '0', '--json', ...more]
  const { child, ended, said } = spawnHoldfast(argv, scene())
  const greeting = new Promise<null>((resolve) => {
    child.stdout.on('data', () => {
      if (said.stdout.includes('\n')) resolve(null)
    })
  })
  const early = await Promise.race([greeting, ended])
  if (early !== null) throw new Error(`keep ended with ${early.code}: ${early.stderr}`)
  const { url } = JSON.parse(said.stdout) as { url: string }
  const status = async () => (await (await fetch(`${url}/status`)).json()) as KeeperStatus
  const ran = async (task: 'locks' | 'clean', runs: number) => {
    const count = async () => (await status()).homes[0]?.tasks[task].runs
    await expect.poll(count, { timeout: 20_000, interval: 50 }).toBeGreaterThanOrEqual(runs)
  }
  return { child, ended, url, status, ran }
}

/** A lock that its holder left behind two minutes ago, killed. */
async function leaveLock(): Promise<void> {
  const holder = await startHolder({ locks: [lock()], env: { HELD_FOR_MS: '120000' } })
  const ended = once(holder, 'exit')
  holder.kill('SIGKILL')
  await ended
}

const note = () => JSON.parse(readFileSync(join(bot.home, 'holdfast', 'keeper.json'), 'utf8')) as KeeperNote

describe('a lock of a process that was killed', () => {
  it('is cleared while a gateway runs, whose messages wait for it', async () => {
    await leaveLock()
    await bot.start(null)
    const kept = await keep()
    await kept.ran('locks', 1)
    expect(bot.locks()).toEqual([])
    expect((await kept.status()).homes[0]).toMatchObject({ home: bot.home, stepsDone: { 'clear-lock': 1 } })
    const undone = await holdfastProcess(
      ['undo', (await kept.status()).homes[0]?.tasks.locks.lastManifest as string, '--dry-run'],
      scene(),
    )
    expect(undone.stdout).toContain(lock().split('/').at(-1))
  })
})

describe('what cleaning finds', () => {
  it('is archived in mode enforce', async () => {
    const kept = await keep('--mode', 'enforce')
    await kept.ran('clean', 1)
    expect(leftover()).toBe(false)
    expect((await kept.status()).homes[0]?.tasks.clean).toMatchObject({
      failures: 0,
      lastOk: true,
      lastManifest: expect.stringContaining(join(bot.home, 'holdfast', 'archives')),
    })
  })

  it('stays in mode warn; so does a lock of nobody while no gateway runs: it tells the next start which turn was cut off', async () => {
    await leaveLock()
    const kept = await keep('--mode', 'warn')
    await kept.ran('locks', 1)
    await kept.ran('clean', 1)
    expect(leftover()).toBe(true)
    expect(existsSync(lock())).toBe(true)
    expect((await kept.status()).homes[0]).toMatchObject({ stepsDone: {}, tasks: { clean: { lastManifest: null } } })
  })
})

describe('a keeper', () => {
  it('is the only one of its home, also beside the keeper of another; shows itself, and ends when it is told to, in the middle of its rest', async () => {
    const kept = await keep()
    await kept.ran('clean', 1)
    const second = await holdfastProcess(['keep', '--home', bot.home, '--port', '0', '--json'], scene())
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('KEEPER_RUNNING')
    using other = new Bot()
    expect(await holdfastProcess(['keep', '--once', '--home', other.home], scene())).toMatchObject({ code: 0 })
    const metrics = await (await fetch(`${kept.url}/metrics`)).text()
    expect(metrics).toContain(`holdfast_keeper_runs_total{home="${bot.home}",task="clean",ok="true"} 1`)
    const shown = await holdfastProcess(['keep', '--status', '--home', bot.home], scene())
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining(`kept by process ${kept.child.pid} `) })
    kept.child.kill('SIGTERM')
    expect(await kept.ended).toMatchObject({ code: 0 })
  })

  it('that was killed is in the way of none', async () => {
    const killed = await keep()
    await killed.ran('clean', 1)
    killed.child.kill('SIGKILL')
    await killed.ended
    const shown = await holdfastProcess(['keep', '--status', '--home', bot.home], scene())
    expect(shown).toMatchObject({ code: 1, stdout: expect.stringContaining('No keeper answers.') })
    const kept = await keep()
    await kept.ran('clean', 1) // a new one begins with a look of its own
    expect(note()).toMatchObject({ pid: kept.child.pid, url: kept.url })
  })

  it('calls a person once for a lock that a living process holds for too long, and once when that is over', async () => {
    const script = `require('fs').appendFileSync('alerts', process.env.HOLDFAST_ALERT + '\\n')`
    const config = { homes: { alerts: { command: [node, '-e', script] } } }
    writeFileSync(join(bot.top, 'holdfast.json5'), JSON.stringify(config))
    const holder = await startHolder({ locks: [lock()], env: { HELD_FOR_MS: String(12 * 60_000) } })
    children.push(holder)
    const alerts = () =>
      readFileSync(join(bot.top, 'alerts'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Cause & { state: string })
    const kept = await keep('--locks-every', '1s')
    await kept.ran('locks', 3)
    expect(alerts()).toMatchObject([{ code: 'LOCK_OVERDUE', state: 'raised', home: bot.home, subject: lock() }])
    expect((await kept.status()).raised).toMatchObject([{ code: 'LOCK_OVERDUE' }])
    holder.kill('SIGKILL')
    await expect.poll(() => alerts().map(({ state }) => state), { timeout: 20_000 }).toEqual(['raised', 'over'])
    expect((await kept.status()).raised).toEqual([])
  })
})

describe('a keeper that a crontab starts', () => {
  const once = async () => {
    const ended = await holdfastProcess(['keep', '--once', '--mode', 'enforce', '--home', bot.home], scene())
    expect(ended).toMatchObject({ code: 0 })
  }

  it('does what is due by what the last one wrote down', async () => {
    const nowMs = Date.now()
    const minutesAgo = (minutes: number) => {
      const atMs = nowMs - minutes * 60_000
      return { startedAtMs: atMs, endedAtMs: atMs, ok: true }
    }
    const remember = (cleanMinutes: number) => {
      const runs = { locks: minutesAgo(1), clean: minutesAgo(cleanMinutes), archives: minutesAgo(1) }
      writeFileSync(join(bot.home, 'holdfast', 'keeper.json'), JSON.stringify({ ...note(), runs }))
      return runs
    }
    await holdfastProcess(['keep', '--once', '--mode', 'off', '--home', bot.home], scene())
    expect(Object.keys(note().runs)).toEqual(['locks', 'clean'])

    const fresh = remember(1)
    await once()
    expect(note().runs).toEqual(fresh)
    expect(leftover()).toBe(true)

    const old = remember(7 * 60)
    await once()
    expect(note().runs).toMatchObject({ locks: old.locks, archives: old.archives })
    expect(note().runs.clean?.startedAtMs).toBeGreaterThanOrEqual(nowMs)
    expect(leftover()).toBe(false)
  })
})
