import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { node, spawnHoldfast } from '../../cli/processes.ts'
import { buildHome } from '../build.ts'

/** A home with a gateway of its own that can be made to stand still. */
class Bot {
  readonly top = mkdtempSync(join(tmpdir(), 'holdfast-rescue-'))
  readonly home = join(this.top, '.openclaw')
  readonly openclaw = join(this.top, 'openclaw.mjs')

  constructor() {
    copyFileSync(fileURLToPath(new URL('../programs/stand-in.mjs', import.meta.url)), this.openclaw)
    buildHome(this.home, { agents: [{ id: 'main', sessions: [{ key: 'agent:main:telegram:direct:42' }] }] })
  }

  get sessions(): string {
    return join(this.home, 'agents/main/sessions')
  }

  locks(): string[] {
    return readdirSync(this.sessions).filter((name) => name.endsWith('.lock'))
  }

  get pid(): number {
    return Number(readFileSync(join(this.home, 'stand-in.pid'), 'utf8'))
  }

  async start(wedgedAt: string | null): Promise<void> {
    if (wedgedAt !== null) writeFileSync(join(this.home, 'wedge'), wedgedAt)
    const env = { PATH: process.env.PATH, OPENCLAW_STATE_DIR: this.home, HOME: this.top }
    spawn(node, [this.openclaw, 'gateway'], { env, detached: true, stdio: 'ignore' }).unref()
    while (!existsSync(join(this.home, 'stand-in.pid'))) await sleep(20)
  }

  async rescue(...more: string[]) {
    const argv = ['rescue', '--home', this.home, '--openclaw', this.openclaw, '--json', ...more]
    const { code, stdout, stderr } = await spawnHoldfast(argv, { cwd: this.top, env: { HOME: this.top } }).ended
    return { code, home: stdout === '' ? null : JSON.parse(stdout).homes[0], stderr }
  }

  end(): void {
    const pidFile = join(this.home, 'stand-in.pid')
    if (existsSync(pidFile)) spawnSync('kill', ['-9', readFileSync(pidFile, 'utf8')])
    rmSync(this.top, { recursive: true })
  }
}

let bot: Bot
beforeEach(() => {
  bot = new Bot()
  onTestFinished(() => bot.end())
})
const codes = (blockers: { code: string }[]) => blockers.map(({ code }) => code).sort()

describe('a bot that does not answer', () => {
  it('answers again when its gateway stood still with a lock in its hand', async () => {
    const [transcript = ''] = readdirSync(bot.sessions).filter((name) => name.endsWith('.jsonl'))
    await bot.start(`${transcript}.lock`)
    const before = bot.pid

    const looked = await bot.rescue('--dry-run')
    expect(codes(looked.home.blockers)).toEqual(['GATEWAY_SILENT', 'LOCK_WEDGED'])
    expect(looked.home).toMatchObject({ stopped: false, way: { stop: [node, bot.openclaw, 'gateway', 'stop'] } })

    const asked = await bot.rescue() // nobody is there to agree
    expect(asked.code).toBe(1)
    expect(bot.pid).toBe(before)
    expect(bot.locks()).toEqual([`${transcript}.lock`])

    const { code, home } = await bot.rescue('--yes')
    expect(home).toMatchObject({ stopped: true, started: true, health: { state: 'good' }, remaining: [] })
    expect(code).toBe(0)
    expect(bot.pid).not.toBe(before)
    expect(bot.locks()).toEqual([])
  })

  it('gets its index back', async () => {
    const index = join(bot.sessions, 'sessions.json')
    const key = Object.keys(JSON.parse(readFileSync(index, 'utf8')))[0] as string
    copyFileSync(index, `${index}.bak.1795000000000`)
    writeFileSync(index, '')
    await bot.start(null)
    const { code, home } = await bot.rescue('--yes')
    expect(codes(home.blockers)).toEqual(['INDEX_UNREADABLE'])
    expect(home).toMatchObject({ stopped: true, started: true, remaining: [] })
    expect(code).toBe(0)
    expect(Object.keys(JSON.parse(readFileSync(index, 'utf8')))).toEqual([key])
  })

  it('is left running when only locks of nobody are in its way', async () => {
    const ended = spawnSync(node, ['-e', 'console.log(process.pid)'], { encoding: 'utf8' }).stdout.trim()
    const at = new Date(Date.now() - 3_600_000).toISOString()
    writeFileSync(
      join(bot.sessions, 'gone.jsonl.lock'),
      JSON.stringify({ pid: Number(ended), createdAt: at, starttime: 1 }),
    )
    await bot.start(null)
    const { pid } = bot
    const { code, home } = await bot.rescue('--yes')
    expect(codes(home.blockers)).toEqual(['LOCK_STALE'])
    expect(home).toMatchObject({ stopped: false, started: false, remaining: [] })
    expect(code).toBe(0)
    expect(bot.pid).toBe(pid)
    expect(bot.locks()).toEqual([])
  })

  it('is started when it is not there, and told that nothing blocks it when that is so', async () => {
    const { code, home } = await bot.rescue('--yes')
    expect(codes(home.blockers)).toEqual(['GATEWAY_STOPPED'])
    expect(home).toMatchObject({ stopped: false, started: true, health: { state: 'good' } })
    expect(code).toBe(0)
    expect(await bot.rescue()).toMatchObject({ code: 0, home: { blockers: [], steps: [], manifests: [] } })
  })
})
