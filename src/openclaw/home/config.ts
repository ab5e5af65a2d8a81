import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import JSON5 from 'json5'
import { HoldfastError } from '../../model/errors.ts'
import { unreadable, unsafe } from '../files/failure.ts'
import { type Followed, follow } from '../files/follow.ts'
import { isInside } from '../files/place.ts'
import { readSmall } from '../files/text.ts'
import { type Fields, isObject, withIncludes } from './config/includes.ts'
import { variablesOf, withVariables } from './config/variables.ts'
import type { HomeRules } from './policy.ts'

/** What of a gateway's configuration concerns its sessions. All the rest, with the secrets in it, is forgotten again. */
export interface HomeConfig {
  /** The file that was read, by the name that the gateway has for it; null where there is none. Absolute. */
  path: string | null
  rules: HomeRules
  /** Ids, the default one first; none where the file names none. */
  agents: string[]
  /** `session.store`, variables put in; null where it is not set. */
  store: string | null
  /** The release that wrote the file last. */
  version: string | null
}

/** Surroundings of the gateway, as far as they are known: those of this process stand for them. */
export interface ConfigGround {
  env: Readonly<Record<string, string | undefined>>
  /** Stands for `~`. Absolute. */
  userDir: string
}

/** As a gateway limits what it includes. */
const includeBytesMax = 2 * 1024 ** 2
const configBytesMax = 10 * 1024 ** 2

const nothing: HomeConfig = {
  path: null,
  rules: { maintenance: {}, cronSessionRetention: undefined },
  agents: [],
  store: null,
  version: null,
}

/**
 * Reads `openclaw.json` (or `configPath`) as the gateway does: JSON5, `$include`, `${VARIABLES}` from the environment, from `.env` in the
 * home and from the file itself.
 * @throws HoldfastError HOME_CONFIG_INVALID where the gateway would refuse it, HOME_UNREADABLE, HOME_UNSAFE
 */
export async function readConfig(
  dir: string,
  configPath: string | null,
  { env, userDir }: ConfigGround,
): Promise<HomeConfig> {
  const places = configPath === null ? ['openclaw.json', 'clawdbot.json'].map((name) => join(dir, name)) : [configPath]
  const place = places.find((path) => follow(path) !== null)
  if (place === undefined) return nothing
  const { path } = shared(dir, place)
  const parsed = parse(path, await textOf(dirname(path), path, configBytesMax))
  const roots = [dirname(place), ...includeRoots(env, userDir)]
  const config = await withIncludes(parsed, { configPath: place, roots, load: loadIncluded })
  if (!isObject(config)) throw invalid(path, 'it is no object')
  return toldBy(place, config, await lookupIn(dir, env, config))
}

/**
 * A configuration may be a link, and then leads to a file that the owner of the home can read as well: nobody is shown by us what the
 * system hides from them.
 */
function shared(dir: string, place: string): Followed {
  const found = follow(place)
  const home = follow(dir)
  if (found === null || home === null) throw unreadable(place, 'it is gone')
  if (found.what !== 'file') throw unsafe(place, `it is a ${found.what} and no file`)
  const open = found.uid === home.uid || (found.mode & 0o004) !== 0
  if (isInside(home.path, found.path) || open) return found
  throw unsafe(place, `it leads out of the home, to a file that its owner cannot read`)
}

async function loadIncluded(path: string, root: string): Promise<unknown> {
  const real = follow(path)
  const realRoot = follow(root)
  if (real === null || realRoot === null) throw invalid(path, 'it is included, and not there')
  if (!isInside(realRoot.path, real.path)) throw invalid(path, `$include leads out of ${root} through a link`)
  return parse(path, await textOf(realRoot.path, real.path, includeBytesMax, 1))
}

async function textOf(
  root: string,
  path: string,
  bytesMax: number,
  linksMax = Number.POSITIVE_INFINITY,
): Promise<string> {
  const found = await readSmall(root, path, bytesMax)
  if (found === null) throw unreadable(path, 'it is gone')
  if (found.links > linksMax) throw invalid(path, 'it is included, and has more than one name (hard links)')
  return found.data.toString('utf8')
}

function parse(path: string, text: string): unknown {
  try {
    return JSON5.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(path, error.message.replace(/^JSON5: /, ''))
    throw error
  }
}

function includeRoots(env: ConfigGround['env'], userDir: string): string[] {
  const named = (env.OPENCLAW_INCLUDE_ROOTS ?? '').split(delimiter).map((each) => each.trim())
  return named.filter((each) => each !== '').map((each) => resolve(withUserDir(each, userDir)))
}

/** `~` and `~/…`, nothing else that begins so. */
export function withUserDir(path: string, userDir: string): string {
  return path.replace(/^~(?=$|[\\/])/, () => userDir)
}

async function lookupIn(
  dir: string,
  env: ConfigGround['env'],
  config: Fields,
): Promise<(name: string) => string | undefined> {
  const file = await readSmall(dir, join(dir, '.env'), includeBytesMax)
  const fromFile = file === null ? {} : parseEnv(file.data.toString('utf8'))
  const own = variablesOf(config.env)
  return (name) => {
    const around = env[name] ?? fromFile[name]
    return around === undefined || around.trim() === '' ? (own.get(name) ?? around) : around
  }
}

function toldBy(path: string, config: Fields, lookup: (name: string) => string | undefined): HomeConfig {
  const missing = new Set<string>()
  const part = (name: string, from: Fields = config): Fields => {
    const found = from[name] ?? {}
    if (!isObject(found)) throw invalid(path, `${name}: it is no object`)
    return found
  }
  const session = part('session')
  const store = withVariables(session.store ?? null, lookup, missing)
  if (store !== null && typeof store !== 'string') throw invalid(path, 'session.store: it is no text')
  if (missing.size > 0) throw invalid(path, `session.store: ${[...missing].join(', ')} is not set here`)
  if (store !== null && !/^\s*(?:$|~|\{)/.test(store) && !isAbsolute(store.trim())) {
    throw invalid(path, 'session.store: it is no absolute path, and what the gateway takes it from is not known here')
  }
  return {
    path,
    rules: {
      maintenance: withVariables(part('maintenance', session), lookup, missing) as Fields,
      cronSessionRetention: withVariables(part('cron').sessionRetention, lookup, missing),
    },
    agents: agentIdsOf(withVariables(part('agents'), lookup, missing) as Fields),
    store: store === null || store.trim() === '' ? null : store.trim(),
    version: versionIn(part('meta').lastTouchedVersion),
  }
}

/** Up to 2026.7 `agents.list`, from 2026.8 `agents.entries` with the ids as keys. */
function agentIdsOf({ list, entries }: Fields): string[] {
  const listed = (Array.isArray(list) ? list : []).filter(isObject)
  const named = isObject(entries)
    ? Object.entries(entries).map(([id, entry]): Fields => ({ ...fieldsOf(entry), id }))
    : []
  const agents = [...listed, ...named].filter(({ id }) => typeof id === 'string')
  const ordered = [...agents.filter((each) => each.default === true), ...agents.filter((each) => each.default !== true)]
  return [...new Set(ordered.map(({ id }) => agentIdOf(String(id))))]
}

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})

/** An agent's id as the gateway makes its folder's name of it. */
export function agentIdOf(text: string): string {
  const lower = text.trim().toLowerCase()
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/.test(lower)) return lower
  const plain = lower.replace(/[^a-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '')
  return plain.slice(0, 64) || 'main'
}

/** `2026.5.18`, the first line of what may be more; null for anything else. */
export function versionIn(value: unknown): string | null {
  return typeof value === 'string'
    ? (/^\s*(\d{4}\.\d{1,2}\.\d{1,2}[\w.-]{0,40})(?:\s|$)/.exec(value)?.[1] ?? null)
    : null
}

function invalid(path: string, because: string): HoldfastError {
  return new HoldfastError('HOME_CONFIG_INVALID', { because: `${path}: ${because}` })
}
