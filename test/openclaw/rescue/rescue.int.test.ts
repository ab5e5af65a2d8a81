import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { node, spawnHoldfast } from '../../cli/processes.ts'
import { Bot } from '../bot.ts'

async function rescue(...more: string[]) {
  const argv = ['rescue', '--home', bot.home, '--openclaw', bot.openclaw, '--json', ...more]
  const { code, stdout, stderr } = await spawnHoldfast(argv, { cwd: bot.top, env: { HOME: bot.top } }).ended
  return { code, home: stdout === '' ? null : JSON.parse(stdout).homes[0], stderr }
}

let bot: Bot
beforeEach(() => {
  bot = new Bot()
  onTestFinished(() => bot[Symbol.dispose]())
})
const codes = (blockers: { code: string }[]) => blockers.map(({ code }) => code).sort()

describe('a bot that does not answer', () => {
  it('answers again when its gateway stood still with a lock in its hand', async () => {
    const [transcript = ''] = readdirSync(bot.sessions).filter((name) => name.endsWith('.jsonl'))
    await bot.start(`${transcript}.lock`)
    const before = bot.pid

    const looked = await rescue('--dry-run')
    expect(codes(looked.home.blockers)).toEqual(['GATEWAY_SILENT', 'LOCK_WEDGED'])
    expect(looked.home).toMatchObject({
      stopped: false,
      way: { stop: [realpathSync(node), bot.openclaw, 'gateway', 'stop'] },
    })

    const asked = await rescue() // nobody is there to agree
    expect(asked.code).toBe(1)
    expect(bot.pid).toBe(before)
    expect(bot.locks()).toEqual([`${transcript}.lock`])

    const { code, home } = await rescue('--yes')
    expect(home.steps).toMatchObject([{ kind: 'clear-lock', done: true, left: null }])
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
    const { code, home } = await rescue('--yes')
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
    const { code, home } = await rescue('--yes')
    expect(codes(home.blockers)).toEqual(['LOCK_STALE'])
    expect(home).toMatchObject({ stopped: false, started: false, remaining: [] })
    expect(code).toBe(0)
    expect(bot.pid).toBe(pid)
    expect(bot.locks()).toEqual([])
  })

  it('is started when it is not there, and told that nothing blocks it when that is so', async () => {
    const { code, home } = await rescue('--yes')
    expect(codes(home.blockers)).toEqual(['GATEWAY_STOPPED'])
    expect(home).toMatchObject({ stopped: false, started: true, health: { state: 'good' } })
    expect(code).toBe(0)
    expect(await rescue()).toMatchObject({ code: 0, home: { blockers: [], steps: [], manifests: [] } })
  })
})
