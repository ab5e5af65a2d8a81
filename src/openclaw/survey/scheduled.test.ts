import { describe, expect, it } from 'vitest'
import { planSchedule, type ScheduleRequest } from '../schedule/plan.ts'
import { scheduledInCrontab, scheduledInPlist, scheduledInUnit, shellWords } from './scheduled.ts'

const request: ScheduleRequest = {
  kind: 'cron',
  scope: 'user',
  homes: ['/home/bot/.openclaw', '/srv/it\'s 100% $HOME "a\\b" <x> & y'],
  program: { node: '/usr/bin/node', script: '/opt/hold fast/bin/holdfast.mjs' },
  logFile: '/home/bot/.openclaw/holdfast/keep.log',
  mode: null,
  configFile: null,
  prestartUnit: 'openclaw-gateway.service',
  folder: '/units',
}
const ours = {
  homes: request.homes,
  log: request.logFile,
  programs: [request.program.node, request.program.script],
}

describe('what Holdfast itself has installed is read back', () => {
  it('from a crontab', () => {
    const lines = planSchedule(request).crontab ?? []
    expect(scheduledInCrontab(`MAILTO=x\n0 3 * * * backup\n${lines.join('\n')}\n`, false)).toEqual([
      { command: 'keep', ...ours },
    ])
  })
  it('from units', () => {
    const [unit, hook] = planSchedule({ ...request, kind: 'systemd' }).files
    expect(scheduledInUnit(unit?.text ?? '')).toEqual([{ command: 'keep', ...ours }])
    expect(scheduledInUnit(hook?.text ?? '')).toEqual([{ command: 'prestart', ...ours, log: null }])
  })
  it('from an agent of launchd', () => {
    const [agent] = planSchedule({ ...request, kind: 'launchd' }).files
    expect(scheduledInPlist(agent?.text ?? '')).toEqual([{ command: 'keep', ...ours }])
  })
})

describe('what people have written themselves is read too', () => {
  it.each([
    ['*/5 * * * * holdfast locks clear', { command: 'locks', homes: [], log: null, programs: [] }],
    [
      '@daily /usr/local/bin/holdfast clean --home=/a --mode enforce >> /var/log/x 2>&1',
      { command: 'clean', homes: ['/a'], programs: ['/usr/local/bin/holdfast'] },
    ],
    ['0 4 * * * OPENCLAW_STATE_DIR=/b holdfast clean && echo done', { command: 'clean', homes: ['/b'] }],
  ])('%s', (line, expected) => expect(scheduledInCrontab(line, false)).toMatchObject([expected]))
  it('with the name of a user', () => {
    expect(scheduledInCrontab('0 4 * * * bot holdfast clean', true)).toMatchObject([{ command: 'clean' }])
  })
  it.each([
    '# 0 4 * * * holdfast clean',
    '0 4 * * * echo holdfast',
    '0 4 * * * ls /opt/holdfast',
    '0 4 * * * holdfast --version',
  ])('but not %s', (line) => expect(scheduledInCrontab(line, false)).toEqual([]))
  it('in a unit over two lines', () => {
    expect(scheduledInUnit('ExecStart=-/usr/bin/holdfast keep \\\n  --home /a\n')).toMatchObject([{ homes: ['/a'] }])
  })
})

it.each([
  [`a 'b c' "d \\" e" f\\ g h'i'j`, ['a', 'b c', 'd " e', 'f g', 'hij']],
  ["'' x", ['', 'x']],
  ['a>b', ['a']],
  ["it's open", ['its', 'open']],
])('words of %s', (text, words) => expect(shellWords(text)).toEqual(words))
