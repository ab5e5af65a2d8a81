import { basename, dirname, join } from 'node:path'
import { isHoldfastError } from '../../../model/errors.ts'
import { follow } from '../../files/follow.ts'
import { listDirectory } from '../../files/list.ts'
import { readConfig } from '../config.ts'
import { generationOf, keepsFiles, laterVersion } from '../generation.ts'
import type { AgentHome, Home } from '../home.ts'
import { defaultHomePolicy, type HomePolicy, type PolicyOverrides, policyOf } from '../policy.ts'
import { receiptsOf } from '../receipts.ts'
import { agentsOf } from './agents.ts'

/** A directory that holds a home, and what is known of it beforehand. */
export interface Place {
  /** Absolute, links resolved. */
  dir: string
  /** `$OPENCLAW_CONFIG_PATH`, where it belongs to this home. */
  configPath: string | null
  /** Where the gateway sees it, when that is another place. */
  elsewhere: string | null
}

export interface OpenGround {
  env: Readonly<Record<string, string | undefined>>
  /** Of the user that we run as. Absolute. */
  userDir: string
  /** The release that a state database names; null where it names none. */
  versionOf(stateDatabase: string): Promise<string | null>
  /** What flags and a configuration of ours say. */
  overrides?: PolicyOverrides
  defaults?: HomePolicy
}

/** Whether this is a home: it has the configuration or the state of a gateway, or an agent with sessions. @throws HOME_UNREADABLE */
export async function isHome(dir: string): Promise<boolean> {
  const marks = ['openclaw.json', 'clawdbot.json', join('state', 'openclaw.sqlite')]
  if (marks.some((name) => follow(join(dir, name)) !== null)) return true
  const agents = follow(join(dir, 'agents'))
  const listed = agents?.what === 'directory' ? ((await listDirectory(agents.path, agents.path)) ?? []) : []
  return listed.some(({ name, what }) => what === 'directory' && follow(join(dir, 'agents', name, 'sessions')) !== null)
}

/**
 * Reads what there is to know of a home before its sessions are looked at. What cannot be read is in `unreadable`; with a configuration that
 * cannot be followed the policy goes no further than `warn`.
 */
export async function openHome({ dir, configPath, elsewhere }: Place, ground: OpenGround): Promise<Home> {
  const unreadable: Home['unreadable'] = []
  const userDir = userDirOf(elsewhere ?? dir, ground.userDir)
  const path = configPath ?? join(dir, 'openclaw.json')
  const config = await kept(unreadable, path, () => readConfig(dir, configPath, { env: ground.env, userDir }))
  const found = await agentsOf({ dir, config: config ?? { agents: [], store: null }, userDir, elsewhere })
  const receipts = await receiptsOf(dir, found.agents, elsewhere)
  const { policy, problems } = policyOf(config?.rules ?? null, ground.overrides, ground.defaults ?? defaultHomePolicy)
  unreadable.push(...problems.map((because) => ({ path: config?.path ?? path, because })))
  return {
    dir,
    generation: generationOf(await Promise.all(found.agents.map((agent) => keptBy(agent, unreadable)))),
    version: laterVersion(config?.version ?? null, await databaseVersion(dir, unreadable, ground)),
    agents: found.agents,
    configPath: config === null ? path : config.path,
    elsewhere,
    policy,
    receipts: receipts.paths,
    unreadable: [...unreadable, ...found.unreadable, ...receipts.unreadable],
  }
}

/** The gateway's `~`: its home usually lies right in it. */
function userDirOf(dir: string, ours: string): string {
  return /^\.(?:openclaw|clawdbot)/.test(basename(dir)) ? dirname(dir) : ours
}

async function keptBy(
  agent: AgentHome,
  unreadable: Home['unreadable'],
): Promise<{ files: boolean; database: boolean }> {
  const files = await kept(unreadable, agent.sessionsDir, () => keepsFiles(agent))
  return { files: files ?? true, database: agent.databasePath !== null }
}

async function databaseVersion(
  dir: string,
  unreadable: Home['unreadable'],
  { versionOf }: OpenGround,
): Promise<string | null> {
  const path = join(dir, 'state', 'openclaw.sqlite')
  return await kept(unreadable, path, async () => (follow(path) === null ? null : await versionOf(path)))
}

/** Null where it cannot be read, which is noted. */
async function kept<T>(unreadable: Home['unreadable'], path: string, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read()
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    unreadable.push({ path, because: String(error.facts.because) })
    return null
  }
}
