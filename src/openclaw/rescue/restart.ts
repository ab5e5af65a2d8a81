/** How the gateway of this installation is stopped and started, and what told us. */
export interface RestartWay {
  kind: 'systemd user unit' | 'systemd unit' | 'launchd agent' | 'container' | 'command'
  stop: string[]
  start: string[]
  because: string
}

/** What is known of the installation. Everything may be missing. */
export interface InstallationFacts {
  platform: NodeJS.Platform
  /** `/proc/<pid>/cgroup` of the gateway, while it runs on Linux. */
  cgroup: string | null
  /** The container that it runs in, by its id. */
  container: string | null
  /** `docker` or `podman`, where one is there. */
  containerCommand: string | null
  /** Units that are named after the gateway and lie where systemd looks: of the user, of the machine. */
  units: { user: string[]; system: string[] }
  /** The gateway's agent file for launchd, where it is there. Absolute. */
  launchdAgent: string | null
  uid: number
  /** Absolute, or words such as `node …/openclaw.mjs`. */
  openclaw: string[] | null
}

/** Units that the gateway's own installer writes, and what people call theirs. */
export const unitPattern = /^openclaw[\w@.-]*\.service$/

/**
 * The surest way first: what the running process itself belongs to, then what is installed, then the gateway's own command. null when
 * nothing is known; then nothing may be guessed.
 */
export function restartWay(facts: InstallationFacts): RestartWay | null {
  return byContainer(facts) ?? byCgroup(facts.cgroup) ?? byInstallation(facts)
}

function byContainer({ container, containerCommand }: InstallationFacts): RestartWay | null {
  if (container === null || containerCommand === null) return null
  return {
    kind: 'container',
    stop: [containerCommand, 'stop', container],
    start: [containerCommand, 'start', container],
    because: `the gateway runs in the container ${container.slice(0, 12)}`,
  }
}

/**
 * The unit of a process is the last part of its control group that is a service; below `user@<uid>.service` it is the user's own manager's.
 * Source: systemd.slice(5), user@.service(5).
 */
function byCgroup(cgroup: string | null): RestartWay | null {
  const path = cgroup?.split('\n').find((line) => line.startsWith('0::') || line.includes(':name=systemd:'))
  const services = path?.split('/').filter((part) => part.endsWith('.service')) ?? []
  const unit = services.at(-1)
  if (unit === undefined || /^user@\d+\.service$/.test(unit)) return null
  const isUsers = services.some((part) => /^user@\d+\.service$/.test(part))
  return systemd(unit, isUsers, 'the gateway runs in this unit')
}

function systemd(unit: string, isUsers: boolean, because: string): RestartWay {
  const systemctl = isUsers ? ['systemctl', '--user'] : ['systemctl']
  return {
    kind: isUsers ? 'systemd user unit' : 'systemd unit',
    stop: [...systemctl, 'stop', unit],
    start: [...systemctl, 'start', unit],
    because,
  }
}

function byInstallation({ platform, units, launchdAgent, uid, openclaw }: InstallationFacts): RestartWay | null {
  const [usersUnit] = units.user
  if (usersUnit !== undefined) return systemd(usersUnit, true, 'this unit is installed for the user')
  const [unit] = units.system
  if (unit !== undefined) return systemd(unit, false, 'this unit is installed on the machine')
  if (platform === 'darwin' && launchdAgent !== null) {
    return {
      kind: 'launchd agent',
      stop: ['launchctl', 'bootout', `gui/${uid}`, launchdAgent],
      start: ['launchctl', 'bootstrap', `gui/${uid}`, launchdAgent],
      because: 'its agent is installed',
    }
  }
  if (openclaw === null) return null
  return {
    kind: 'command',
    stop: [...openclaw, 'gateway', 'stop'],
    start: [...openclaw, 'gateway', 'start'],
    because: 'the gateway has commands for it',
  }
}
