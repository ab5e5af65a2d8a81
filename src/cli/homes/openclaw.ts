import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { HoldfastError } from '../../model/errors.ts'
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
  const { env, cwd } = terminal.outside
  const isInContainer = gateway.state === 'running' && gateway.container !== null && named === undefined
  const owner = follow(home.dir)?.uid
  const { uid } = userInfo()
  if (!isInContainer && uid !== -1 && owner !== undefined && owner !== uid) {
    const because = `the home belongs to user ${owner} and this is user ${uid}, whose files would keep its gateway out`
    throw new HoldfastError('OPENCLAW_FAILED', { because })
  }
  const ground = {
    named: named === undefined ? null : resolve(cwd, named),
    env,
    cwd,
    node: process.execPath,
    platform: process.platform,
  }
  const found = findOpenClaw(home, gateway, await processesFor(terminal), ground)
  if (found === null) throw new HoldfastError('OPENCLAW_MISSING', { because: 'there is no `openclaw` on the PATH' })
  return found
}
