import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { RunWords } from '../../host/commands.ts'
import { installSchedule, removeSchedule } from './apply.ts'
import { blockBegin, blockEnd } from './crontab.ts'
import { planSchedule, type ScheduleRequest } from './plan.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-schedule-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

describe('the real crontab', () => {
  it('gets our lines once, keeps those of others, and gives ours back', () => {
    const program = fileURLToPath(new URL('../../../test/openclaw/programs/crontab.ts', import.meta.url))
    const others = '# mine\nMAILTO=""\n0 3 * * * true 50\\% done\n'
    writeFileSync(join(folder, 'others'), others)
    const spool =
      'mount -t tmpfs none /var/spool/cron && mkdir -m 1730 /var/spool/cron/crontabs && chgrp crontab /var/spool/cron/crontabs'
    const script = `${spool} && exec "$0" "$@"`
    const homes = ['/srv/my bots/.openclaw', '/srv/100%']
    const words = [
      '--mount',
      'sh',
      '-c',
      script,
      process.execPath,
      program,
      JSON.stringify(homes),
      join(folder, 'others'),
    ]
    const seen = JSON.parse(execFileSync('unshare', words, { encoding: 'utf8' }))
    expect(seen.before).toContain('0 3 * * * true 50\\% done')
    expect(seen.first).toMatchObject({ unchanged: false, crontab: 'installed' })
    expect(seen.installed.startsWith(seen.before)).toBe(true)
    expect(seen.installed.slice(seen.before.length)).toBe(
      `${blockBegin}\n*/5 * * * * /usr/bin/node /opt/holdfast/bin/holdfast.mjs keep --once ` +
        `--home '/srv/my bots/.openclaw' --home '/srv/100\\%' --log /var/log/holdfast.log >/dev/null 2>&1\n${blockEnd}\n`,
    )
    expect(seen.second).toMatchObject({ unchanged: true })
    expect(seen.again).toBe(seen.installed)
    expect(seen.removed).toMatchObject({ unchanged: false, crontab: 'removed' })
    expect(seen.after).toBe(seen.before)
    expect(seen.nothing).toMatchObject({ unchanged: true })
  })
})

/** A machine whose systemd does what it is told, and says so. */
function machine(fails: (words: string) => boolean = () => false) {
  const ran: string[] = []
  const run: RunWords = async (words) => {
    ran.push(words.join(' '))
    return fails(words.join(' '))
      ? { code: 1, stdout: '', stderr: 'Failed to connect to bus' }
      : { code: 0, stdout: '', stderr: '' }
  }
  return { ran, run }
}

describe('units on disk', () => {
  const requestIn = (place: string): ScheduleRequest => ({
    kind: 'systemd',
    scope: 'user',
    homes: ['/home/bot/.openclaw'],
    program: { node: '/usr/bin/node', script: '/opt/holdfast/bin/holdfast.mjs' },
    mode: null,
    logFile: '/home/bot/keep.log',
    configFile: null,
    prestartUnit: 'openclaw-gateway.service',
    folder: join(place, 'systemd/user'),
  })
  const keeperIn = (place: string) => join(place, 'systemd/user/holdfast-keep.service')
  const hookIn = (place: string) => join(place, 'systemd/user/openclaw-gateway.service.d/holdfast.conf')

  it('are there once, and started', async () => {
    const plan = planSchedule(requestIn(folder))
    const { ran, run } = machine()
    expect(await installSchedule(plan, run)).toMatchObject({
      unchanged: false,
      written: [keeperIn(folder), hookIn(folder)],
    })
    expect(ran).toContain('systemctl --user restart holdfast-keep.service')
    ran.length = 0
    expect(await installSchedule(plan, run)).toMatchObject({ unchanged: true })
    expect(ran).toEqual(['systemctl --user is-active --quiet holdfast-keep.service'])
    expect(await removeSchedule(plan, run)).toMatchObject({ removed: [keeperIn(folder), hookIn(folder)] })
    expect(existsSync(keeperIn(folder)) || existsSync(hookIn(folder))).toBe(false)
  })
  it('are accepted by systemd itself', () => {
    const analyzer = '/usr/bin/systemd-analyze'
    expect(existsSync(analyzer)).toBe(true)
    const unit = planSchedule({ ...requestIn(folder), program: { node: process.execPath, script: '/etc/hosts' } })
      .files[0]
    writeFileSync(join(folder, 'holdfast-keep.service'), unit?.text ?? '')
    const said = execFileSync(analyzer, ['verify', '--man=no', join(folder, 'holdfast-keep.service')], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
    expect(said).toBe('')
  })
  it('are as they were before when the system refuses', async () => {
    const { run } = machine((words) => words.includes('is-active'))
    await expect(installSchedule(planSchedule(requestIn(folder)), run)).rejects.toMatchObject({
      code: 'SCHEDULE_FAILED',
    })
    expect(existsSync(keeperIn(folder)) || existsSync(hookIn(folder))).toBe(false)
  })
  it('of somebody else are not touched', async () => {
    mkdirSync(join(folder, 'systemd/user'), { recursive: true })
    writeFileSync(keeperIn(folder), '[Service]\nExecStart=/bin/mine\n')
    const { ran, run } = machine()
    const plan = planSchedule(requestIn(folder))
    await expect(installSchedule(plan, run)).rejects.toMatchObject({ code: 'SCHEDULE_FAILED' })
    await expect(removeSchedule(plan, run)).rejects.toMatchObject({ code: 'SCHEDULE_FAILED' })
    expect(readFileSync(keeperIn(folder), 'utf8')).toContain('/bin/mine')
    expect(ran).toEqual([])
  })
})
