import { describe, expect, it } from 'vitest'
import { blockBegin, blockEnd, blockIn, crontabLines, cronWord, withBlock } from './crontab.ts'
import { agentPlist } from './launchd.ts'
import { planSchedule, type ScheduleRequest, unitFolder } from './plan.ts'
import { systemdWord } from './systemd.ts'

const request: ScheduleRequest = {
  kind: 'systemd',
  scope: 'user',
  homes: ['/home/bot/.openclaw', '/srv/my bots/100% $HOME'],
  program: { node: '/usr/bin/node', script: '/opt/holdfast/bin/holdfast.mjs' },
  mode: null,
  logFile: '/home/bot/.openclaw/holdfast/keep.log',
  configFile: null,
  prestartUnit: 'openclaw-gateway.service',
  folder: '/home/bot/.config/systemd/user',
}

describe('a crontab', () => {
  const ours = crontabLines(['/usr/bin/node', 'x'])
  const others = 'MAILTO=me\n# mine\n0 3 * * * backup\n'

  it('keeps every byte of what others wrote', () => {
    const installed = withBlock(others, ours)
    expect(installed).toBe(`${others}${ours.join('\n')}\n`)
    expect(withBlock(installed ?? '', null)).toBe(others)
  })
  it('has our lines once, at the place where they stood', () => {
    const middle = `a\n${ours.join('\n')}\nb\n`
    const changed = withBlock(middle, crontabLines(['/usr/bin/node', 'y']))
    expect(changed?.split('\n')).toEqual([
      'a',
      blockBegin,
      '*/5 * * * * /usr/bin/node y >/dev/null 2>&1',
      blockEnd,
      'b',
      '',
    ])
    expect(withBlock(changed ?? '', crontabLines(['/usr/bin/node', 'y']))).toBe(changed)
  })
  it('gets a line break where its last line has none', () => expect(withBlock('a', ['b'])).toBe('a\nb\n'))
  it('is empty again where we were alone', () => expect(withBlock(withBlock('', ours) ?? '', null)).toBe(''))
  it.each([
    ['a begin without an end', `${blockBegin}\nx\n`],
    ['two of them', `${blockBegin}\n${blockEnd}\n${blockBegin}\n${blockEnd}\n`],
    ['an end before the begin', `${blockEnd}\n${blockBegin}\n`],
  ])('is left alone with %s', (_, crontab) => expect(withBlock(crontab, ours)).toBeNull())
  it('is read back', () => {
    expect(blockIn(withBlock(others, ours) ?? '')).toEqual(ours)
    expect(blockIn(others)).toBeNull()
  })
})

describe('words', () => {
  it.each([
    ['/usr/bin/node', '/usr/bin/node', '/usr/bin/node'],
    ['my bots', `'my bots'`, '"my bots"'],
    ["it's", `'it'\\''s'`, `"it's"`],
    ['100%', `'100\\%'`, '100%%'],
    ['$HOME', `'$HOME'`, '$$HOME'],
    ['a"b\\c', `'a"b\\c'`, '"a\\"b\\\\c"'],
  ])('%s is one word for a shell and for systemd', (word, forCron, forSystemd) => {
    expect(cronWord(word)).toBe(forCron)
    expect(systemdWord(word)).toBe(forSystemd)
  })
})

describe('a plan', () => {
  it('is the same each time', () => expect(planSchedule(request)).toEqual(planSchedule(request)))
  it('puts the hook into the unit of the gateway, in a file of its own', () => {
    const hook = planSchedule(request).files[1]
    expect(hook?.path).toBe('/home/bot/.config/systemd/user/openclaw-gateway.service.d/holdfast.conf')
    expect(hook?.text).toContain(
      'ExecStartPre=-/usr/bin/node /opt/holdfast/bin/holdfast.mjs prestart --home /home/bot/.openclaw --home "/srv/my bots/100%% $$HOME"',
    )
  })
  it('has one mode for the keeper and for what it leaves to a start', () => {
    const [keeper, hook] = planSchedule({ ...request, mode: 'enforce' }).files
    expect(keeper?.text).toMatch(/ keep .* --mode enforce --log /)
    expect(hook?.text).toMatch(/ prestart .* --mode enforce\n/)
  })
  it('has no hook where none was asked for', () => {
    expect(planSchedule({ ...request, prestartUnit: null }).files).toHaveLength(1)
  })
  it('starts the units of the machine without --user', () => {
    expect(planSchedule({ ...request, scope: 'system' }).activate[0]).toEqual(['systemctl', 'daemon-reload'])
    expect(unitFolder('systemd', 'system', '/root', '/root/.config')).toBe('/etc/systemd/system')
  })
  it('escapes a plist', () => expect(agentPlist(['a<b>&c'])).toContain('<string>a&lt;b&gt;&amp;c</string>'))
})
