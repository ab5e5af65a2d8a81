import { join, resolve } from 'node:path'
import type { RunCommand } from '../../host/commands.ts'
import { HoldfastError, isHoldfastError } from '../../model/errors.ts'
import { follow } from '../files/follow.ts'
import { listDirectory } from '../files/list.ts'
import { isInside } from '../files/place.ts'
import { withUserDir } from './config.ts'
import { dockerMounts, type Mount } from './find/docker.ts'
import { isHome, type OpenGround, openHome, type Place } from './find/open.ts'
import type { Home } from './home.ts'

export interface Asked {
  /** `--home`; none: what is found. */
  homes: readonly string[]
  /** Also, or only, what running containers have mounted. */
  docker: boolean
  /** `--agent`: only these; none: all. */
  agents: readonly string[]
}

export interface FindGround extends OpenGround {
  run: RunCommand
  cwd: string
}

/**
 * The homes that are asked for: those that are named; with `docker` those in mounts of running containers; else `$OPENCLAW_STATE_DIR`,
 * `~/.openclaw*` and `/root/.openclaw*`. Each is there once, whatever names lead to it, in the order in which it was found.
 * @throws HoldfastError HOME_NOT_FOUND with what was looked at, HOME_UNREADABLE for a named or own home that cannot be looked at,
 * COMMAND_MISSING and COMMAND_FAILED of `docker`
 */
export async function findHomes(asked: Asked, ground: FindGround): Promise<Home[]> {
  const looked: string[] = []
  const places = new Map<string, Place>()
  const add = (place: Place | null) => {
    if (place === null) return
    const { dev, ino } = follow(place.dir)?.identity ?? { dev: 0n, ino: 0n }
    const same = ino === 0n ? place.dir : `${dev}:${ino}`
    const before = places.get(same)
    places.set(same, before === undefined ? place : { ...before, elsewhere: before.elsewhere ?? place.elsewhere })
  }
  for (const home of asked.homes) add(await namedPlace(home, ground))
  if (asked.docker) for (const mount of await dockerMounts(ground)) add(await mountedPlace(mount, looked))
  if (asked.homes.length === 0 && !asked.docker) for (const place of await usualPlaces(ground, looked)) add(place)
  if (places.size === 0) throw notFound(`looked at ${looked.join(', ') || 'containers: none runs'}`)
  const homes: Home[] = []
  for (const place of places.values()) homes.push(await openHome(place, ground))
  return withAgents(homes, asked.agents)
}

function notFound(because: string): HoldfastError {
  return new HoldfastError('HOME_NOT_FOUND', { because })
}

/** A directory that somebody names: a home, or what holds one. */
async function namedPlace(named: string, ground: FindGround): Promise<Place> {
  const path = resolve(ground.cwd, named)
  const found = follow(path)
  if (found === null) throw notFound(`${path}: there is nothing`)
  if (found.what !== 'directory') throw notFound(`${path}: it is a ${found.what} and no directory`)
  for (const dir of [found.path, follow(join(found.path, '.openclaw'))?.path]) {
    if (dir !== undefined && (await isHome(dir))) return placeOf(dir, ground)
  }
  throw notFound(`${path}: it has neither openclaw.json nor an agent with sessions`)
}

function placeOf(dir: string, ground: FindGround): Place {
  const own = follow(ownDir(ground))?.path
  const configPath = ground.env.OPENCLAW_CONFIG_PATH?.trim() ?? ''
  const isOwn = own === dir && configPath !== ''
  return {
    dir,
    configPath: isOwn ? resolve(ground.cwd, withUserDir(configPath, homeOf(ground.env, ground.userDir))) : null,
    elsewhere: null,
  }
}

/** Where the gateway of this user would have its home. */
function ownDir({ env, userDir, cwd }: FindGround): string {
  const user = homeOf(env, userDir)
  const set = env.OPENCLAW_STATE_DIR?.trim() ?? ''
  return set === '' ? join(user, '.openclaw') : resolve(cwd, withUserDir(set, user))
}

function homeOf(env: FindGround['env'], userDir: string): string {
  const set = env.OPENCLAW_HOME?.trim() ?? ''
  return set === '' ? userDir : resolve(withUserDir(set, userDir))
}

async function usualPlaces(ground: FindGround, looked: string[]): Promise<Place[]> {
  const found: Place[] = []
  const look = async (dir: string): Promise<void> => {
    const directory = follow(dir)
    if (directory?.what === 'directory' && (await isHome(directory.path))) found.push(placeOf(directory.path, ground))
    else looked.push(`${dir} (${directory === null ? 'there is nothing' : 'it is no home'})`)
  }
  await look(ownDir(ground))
  const others = [homeOf(ground.env, ground.userDir), '/root'].filter((each, at, all) => all.indexOf(each) === at)
  for (const user of others) {
    try {
      const place = follow(user)
      const listed = place === null ? [] : ((await listDirectory(place.path, place.path)) ?? [])
      const names = listed.filter(({ name, what }) => isHomeName(name) && what !== 'file').map(({ name }) => name)
      if (names.length === 0) looked.push(`${join(user, '.openclaw*')} (there is nothing)`)
      for (const name of names) await look(join(user, name))
    } catch (error) {
      // another user's home is none of ours when it is closed to us
      if (!isHoldfastError(error, 'HOME_UNREADABLE') || user !== '/root') throw error
      looked.push(`${user} (${error.facts.because})`)
    }
  }
  return found
}

const isHomeName = (name: string): boolean => name.startsWith('.openclaw') || name === '.clawdbot'

/** The part of a container's file system that its gateway's home is in, or a home that is mounted at another place. */
async function mountedPlace(
  { container, source, destination, stateDir }: Mount,
  looked: string[],
): Promise<Place | null> {
  const inMount = isInside(destination, stateDir) ? join(source, stateDir.slice(destination.length)) : source
  const inContainer = isInside(destination, stateDir) ? stateDir : destination
  try {
    for (const [here, there] of [
      [inMount, inContainer],
      [join(source, '.openclaw'), join(destination, '.openclaw')],
    ] as const) {
      const found = follow(here)
      if (found?.what === 'directory' && (await isHome(found.path)))
        return { dir: found.path, configPath: null, elsewhere: there }
    }
  } catch (error) {
    if (!isHoldfastError(error, 'HOME_UNREADABLE') || inMount !== source) throw error
  }
  looked.push(`${source} (mounted in ${container})`)
  return null
}

function withAgents(homes: Home[], agents: readonly string[]): Home[] {
  if (agents.length === 0) return homes
  const known = new Set(homes.flatMap((home) => home.agents.map(({ id }) => id)))
  const unknown = agents.filter((id) => !known.has(id))
  if (unknown.length > 0)
    throw notFound(`no home has an agent ${unknown.join(', ')}; there are ${[...known].join(', ')}`)
  return homes
    .map((home) => ({ ...home, agents: home.agents.filter(({ id }) => agents.includes(id)) }))
    .filter((home) => home.agents.length > 0)
}
