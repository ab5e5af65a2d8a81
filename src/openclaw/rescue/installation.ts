import { join } from 'node:path'
import type { RunWords } from '../../host/commands.ts'
import { isSystemError, namesIn, readTextIfPresent } from '../../host/files.ts'
import type { GatewayFacts } from '../gateway/running.ts'
import { type InstallationFacts, unitPattern } from './restart.ts'

/** Where units lie: systemd.unit(5). */
const systemFolders = ['/etc/systemd/system', '/usr/local/lib/systemd/system', '/usr/lib/systemd/system']

export interface InstallationGround {
  platform: NodeJS.Platform
  uid: number
  userDir: string
  configHome: string
  /** The gateway's own command, where it was found. */
  openclaw: string[] | null
  run: RunWords
  /** For tests: where units of the machine lie. */
  systemFolders?: readonly string[]
}

/** What tells how the gateway of this home is stopped and started. Only what belongs to this very home counts. */
export async function installationFacts(
  home: { dir: string },
  gateway: GatewayFacts,
  ground: InstallationGround,
): Promise<InstallationFacts> {
  const { platform, uid, userDir, configHome, openclaw, run } = ground
  const pid = gateway.state === 'running' ? gateway.pid : null
  const container = gateway.state === 'running' ? gateway.container : null
  const belongs = (path: string) => isOf(home.dir, join(userDir, '.openclaw'), textOf(path))
  const unitsIn = (folders: readonly string[]) =>
    folders.flatMap((folder) => namesIn(folder).filter((name) => unitPattern.test(name) && belongs(join(folder, name))))
  const agent = join(userDir, 'Library/LaunchAgents/ai.openclaw.gateway.plist')
  return {
    platform,
    uid,
    cgroup: platform === 'linux' && pid !== null ? textOf(`/proc/${pid}/cgroup`) : null,
    container,
    containerCommand: container === null ? null : await containerCommand(run),
    units:
      platform === 'linux'
        ? { user: unitsIn([join(configHome, 'systemd/user')]), system: unitsIn(ground.systemFolders ?? systemFolders) }
        : { user: [], system: [] },
    launchdAgent: platform === 'darwin' && belongs(agent) ? agent : null,
    openclaw,
  }
}

/** Several gateways of a host have homes of their own, which their units name; one that names none has the usual one. */
function isOf(home: string, usualHome: string, text: string | null): boolean {
  if (text === null) return false
  const named = [...text.matchAll(/OPENCLAW_STATE_DIR(?:=|<\/key>\s*<string>)"?([^"<\n]+)/g)].map(([, dir]) =>
    dir?.trim(),
  )
  return named.length === 0 ? home === usualHome : named.includes(home)
}

async function containerCommand(run: RunWords): Promise<string | null> {
  for (const name of ['docker', 'podman']) if ((await run([name, '--version'])).code === 0) return name
  return null
}

/** A file that cannot be read tells nothing. */
function textOf(path: string): string | null {
  try {
    return readTextIfPresent(path)
  } catch (error) {
    if (isSystemError(error)) return null
    throw error
  }
}
