import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { runCommand } from '../../host/commands.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { StepReport } from '../../openclaw/changes/run.ts'
import { cleanDatabases, wouldCleanDatabases } from '../../openclaw/clean/database.ts'
import { follow } from '../../openclaw/files/follow.ts'
import { findOpenClaw, type OpenClaw } from '../../openclaw/gateway/command.ts'
import type { GatewayFacts } from '../../openclaw/gateway/running.ts'
import type { Home } from '../../openclaw/home/home.ts'
import type { Terminal } from '../terminal.ts'
import { processesFor } from './ground.ts'

/**
 * The gateway's own command for this home. It writes there, so it is run as nobody but the owner of the home: files of another user would keep
 * the gateway out. @throws HoldfastError OPENCLAW_MISSING, OPENCLAW_FAILED
 */
export async function openclawFor(
  home: Home,
  gateway: GatewayFacts,
  named: string | undefined,
  terminal: Terminal,
): Promise<OpenClaw> {
  const isInContainer = gateway.state === 'running' && gateway.container !== null && named === undefined
  const owner = follow(home.dir)?.uid
  const { uid } = userInfo()
  if (!isInContainer && uid !== -1 && owner !== undefined && owner !== uid) {
    const because = `the home belongs to user ${owner} and this is user ${uid}, whose files would keep its gateway out`
    throw new HoldfastError('OPENCLAW_FAILED', { because })
  }
  const found = await findOpenClawFor(home, gateway, named, terminal)
  if (found === null) throw new HoldfastError('OPENCLAW_MISSING', { because: 'there is no `openclaw` on the PATH' })
  return found
}

/** The same only to ask it something; null where there is none. */
export async function findOpenClawFor(
  home: Home,
  gateway: GatewayFacts,
  named: string | undefined,
  terminal: Terminal,
): Promise<OpenClaw | null> {
  const { env, cwd } = terminal.outside
  return findOpenClaw(home, gateway, await processesFor(terminal), {
    named: named === undefined ? null : resolve(cwd, named),
    env,
    cwd,
    node: process.execPath,
    platform: process.platform,
  })
}

/** Cleans a home in SQLite, which is changed by its own command only; `do`: or shows what that would be asked. */
export async function cleanByGateway(
  home: Home,
  how: { do: boolean; agents: readonly string[]; openclaw: string | undefined },
  gateway: GatewayFacts,
  terminal: Terminal,
): Promise<StepReport[]> {
  if (home.policy.mode === 'off') return []
  if (!how.do) return wouldCleanDatabases(home.agents)
  return await cleanDatabases(await openclawFor(home, gateway, how.openclaw, terminal), how.agents, runCommand)
}
