import { describe, expect, it } from 'vitest'
import { type InstallationFacts, restartWay } from './restart.ts'

const nothing: InstallationFacts = {
  platform: 'linux',
  cgroup: null,
  container: null,
  containerCommand: null,
  units: { user: [], system: [] },
  launchdAgent: false,
  uid: 1000,
  openclaw: null,
}
const words = (facts: Partial<InstallationFacts>) => restartWay({ ...nothing, ...facts })?.words.join(' ') ?? null
const usersCgroup = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/openclaw-gateway.service\n'

describe('the way to restart a gateway', () => {
  it.each<[string, Partial<InstallationFacts>, string | null]>([
    ['is the user unit that it runs in', { cgroup: usersCgroup }, 'systemctl --user restart openclaw-gateway.service'],
    [
      'is the unit of the machine that it runs in, whatever its name',
      { cgroup: '0::/system.slice/bot.service/worker\n' },
      'systemctl restart bot.service',
    ],
    [
      'is found in the hierarchy of systemd on older systems',
      { cgroup: '12:cpu:/\n1:name=systemd:/system.slice/openclaw.service\n' },
      'systemctl restart openclaw.service',
    ],
    [
      'is its container, before any unit that the container runs in',
      { cgroup: '0::/system.slice/docker.service\n', container: 'a'.repeat(64), containerCommand: 'podman' },
      `podman restart ${'a'.repeat(64)}`,
    ],
    [
      'is an installed unit when it does not run',
      { units: { user: ['openclaw-gateway.service'], system: [] } },
      'systemctl --user restart openclaw-gateway.service',
    ],
    [
      'is its agent on macOS',
      { platform: 'darwin', launchdAgent: true, uid: 501 },
      'launchctl kickstart -k gui/501/ai.openclaw.gateway',
    ],
    ['is its own command when nothing else is known', { openclaw: ['openclaw'] }, 'openclaw gateway restart'],
    [
      'is not the manager of a user, in whose session it was only started',
      { cgroup: '0::/user.slice/user-1000.slice/user@1000.service/tmux-spawn.scope\n' },
      null,
    ],
    ['is not guessed', {}, null],
  ])('%s', (_, facts, expected) => expect(words(facts)).toBe(expected))
})
