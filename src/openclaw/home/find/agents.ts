import { basename, dirname, extname, join, resolve } from 'node:path'
import { isHoldfastError } from '../../../model/errors.ts'
import { unreadable, unsafe } from '../../files/failure.ts'
import { follow } from '../../files/follow.ts'
import { listDirectory } from '../../files/list.ts'
import { isInside } from '../../files/place.ts'
import { type HomeConfig, withUserDir } from '../config.ts'
import { schemaOfDatabase, sessionsSchemaMin } from '../generation.ts'
import type { AgentHome, Home } from '../home.ts'
import { within } from '../receipts.ts'

export interface AgentsFound {
  agents: AgentHome[]
  unreadable: Home['unreadable']
}

export interface AgentsGround {
  /** Absolute, links resolved. */
  dir: string
  config: Pick<HomeConfig, 'agents' | 'store'>
  /** Stands for `~`, as the gateway sees it. */
  userDir: string
  elsewhere: string | null
}

/**
 * The agents that the configuration names and those that have a folder, each with the place of its sessions. A place outside of the home is
 * taken only where `session.store` or a link leads there, it belongs to the owner of the home, and it is no part of another home. Agents that share one store are one.
 */
export async function agentsOf(ground: AgentsGround): Promise<AgentsFound> {
  const failed: Home['unreadable'] = []
  const agents = new Map<string, AgentHome>()
  for (const id of await idsOf(ground, failed)) {
    try {
      const { indexPath, databasePath } = placesOf(ground, id)
      const sessionsDir = ownPlace(ground.dir, dirname(indexPath))
      const place = join(sessionsDir, basename(indexPath))
      if (agents.has(place)) continue
      const database = await usedDatabase(ground.dir, databasePath, failed)
      agents.set(place, { id, sessionsDir, indexPath: place, databasePath: database })
    } catch (error) {
      failed.push({ path: join(ground.dir, 'agents', id), because: reasonOf(error) })
    }
  }
  return { agents: [...agents.values()], unreadable: failed }
}

/** Why something could not be looked at; anything but an error of ours goes on. */
function reasonOf(error: unknown): string {
  if (!isHoldfastError(error)) throw error
  return String(error.facts.because)
}

/** Names under which a gateway, or somebody, has put an agent. */
const folderName = /^\w[\w-]{0,63}$/

async function idsOf({ dir, config }: AgentsGround, failed: Home['unreadable']): Promise<Set<string>> {
  const named = config.agents.length === 0 ? ['main'] : config.agents
  const path = join(dir, 'agents')
  try {
    const place = ownPlace(dir, path)
    const listed = (await listDirectory(place, place)) ?? []
    const folders = listed.filter(
      ({ name, what }) => (what === 'directory' || what === 'link') && folderName.test(name),
    )
    return new Set([...named, ...folders.map(({ name }) => name)])
  } catch (error) {
    failed.push({ path, because: reasonOf(error) })
    return new Set(named)
  }
}

/** A path with its links resolved, whether it is there or not. @throws HoldfastError HOME_UNSAFE, HOME_UNREADABLE */
function ownPlace(dir: string, path: string): string {
  const found = follow(path)
  if (found === null) return dirname(path) === path ? path : join(ownPlace(dir, dirname(path)), basename(path))
  if (!isInside(dir, found.path) && found.uid !== follow(dir)?.uid) {
    throw unsafe(path, `it leads to ${found.path}, which is outside of the home and another user's`)
  }
  const other = isInside(dir, found.path) ? null : homeAround(dirname(found.path))
  if (other !== null)
    throw unsafe(
      path,
      `it leads to ${found.path} in ${other}, another home, whose gateway may run: look after that one`,
    )
  return found.path
}

/** The home that a path lies in, by its configuration; null: in none. */
function homeAround(path: string): string | null {
  if (['openclaw.json', 'clawdbot.json'].some((name) => follow(join(path, name)) !== null)) return path
  return dirname(path) === path ? null : homeAround(dirname(path))
}

/** Where the gateway keeps the sessions of an agent, as far as its configuration says; the database lies where its file generation would be. */
function placesOf(
  { dir, config, userDir, elsewhere }: AgentsGround,
  id: string,
): { indexPath: string; databasePath: string } {
  if (config.store === null) return besides(join(dir, 'agents', id, 'sessions', 'sessions.json'))
  const store = resolve(withUserDir(config.store.replaceAll('{agentId}', id), userDir))
  if (elsewhere === null) return besides(store)
  const here = isInside(elsewhere, store) ? within(dir, store, elsewhere) : null
  if (here === null)
    throw unreadable(store, 'session.store leads to a place in the container that is no part of the home')
  return besides(here)
}

function besides(store: string): { indexPath: string; databasePath: string } {
  const folder = dirname(store)
  const name = basename(store, extname(store))
  if (store.endsWith('.sqlite')) return { indexPath: join(folder, 'sessions.json'), databasePath: store }
  if (basename(store) !== 'sessions.json') return { indexPath: store, databasePath: join(folder, `${name}.sqlite`) }
  const isUsual = basename(folder) === 'sessions' && basename(dirname(dirname(folder))) === 'agents'
  const beside = isUsual ? join(dirname(folder), 'agent') : folder
  return { indexPath: store, databasePath: join(beside, 'openclaw-agent.sqlite') }
}

/** Null where no sessions are in it; one that cannot be asked is taken to hold some. */
async function usedDatabase(dir: string, path: string, failed: Home['unreadable']): Promise<string | null> {
  if (follow(path) === null && follow(`${path}-wal`) === null) return null
  const place = ownPlace(dir, path)
  try {
    const schema = await schemaOfDatabase(dirname(place), place)
    return schema !== null && schema >= sessionsSchemaMin ? place : null
  } catch (error) {
    failed.push({ path: place, because: reasonOf(error) })
    return place
  }
}
