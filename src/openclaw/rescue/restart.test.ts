import { describe, expect, it } from 'vitest'
import { type InstallationFacts, restartWay } from './restart.ts'

const nothing: InstallationFacts = {
  platform: 'linux',
  cgroup: null,
  container: null,
  containerCommand: null,
  units: { user: [], system: [] },
  launchdAgent: null,
  uid: 1000,
  openclaw: null,
}
const words = (facts: Partial<InstallationFacts>) => restartWay({ ...nothing, ...facts })?.stop.join(' ') ?? null
const usersCgroup = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/openclaw-gateway.service\n'

describe('the way to stop and start a gateway', () => {
  it.each<[string, Partial<InstallationFacts>, string | null]>([
    ['is the user unit that it runs in', { cgroup: usersCgroup }, 'systemctl --user stop openclaw-gateway.service'],
    [
      'is the unit of the machine that it runs in, whatever its name',
      { cgroup: '0::/system.slice/bot.service/worker\n' },
      'systemctl stop bot.service',
    ],
    [
      'is found in the hierarchy of systemd on older systems',
      { cgroup: '12:cpu:/\n1:name=systemd:/system.slice/openclaw.service\n' },
      'systemctl stop openclaw.service',
    ],
    [
      'is its container, before any unit that the container runs in',
      { cgroup: '0::/system.slice/docker.service\n', container: 'a'.repeat(64), containerCommand: 'podman' },
      `podman stop ${'a'.repeat(64)}`,
    ],
    [
      'is an installed unit when it does not run',
      { units: { user: ['openclaw-gateway.service'], system: [] } },
      'systemctl --user stop openclaw-gateway.service',
    ],
    [
      'is its agent on macOS',
      { platform: 'darwin', launchdAgent: '/A/x.plist', uid: 501 },
      'launchctl bootout gui/501 /A/x.plist',
    ],
    ['is its own command when nothing else is known', { openclaw: ['openclaw'] }, 'openclaw gateway stop'],
    [
      'is not the manager of a user, in whose session it was only started',
      { cgroup: '0::/user.slice/user-1000.slice/user@1000.service/tmux-spawn.scope\n' },
      null,
    ],
    ['is not guessed', {}, null],
  ])('%s', (_, facts, expected) => expect(words(facts)).toBe(expected))
})
