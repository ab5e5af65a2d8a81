import { dirname, isAbsolute, normalize, resolve } from 'node:path'
import { HoldfastError } from '../../../model/errors.ts'
import { isInside } from '../../files/place.ts'

/** How deep files may include files, as the gateway has it. */
const nestedMax = 10
/** In all; a gateway has no such bound. */
const filesMax = 1_000
/** Deeper configurations are refused. */
const depthMax = 200
const pathLengthMax = 4_096

/** Where included files may lie: the folder of `openclaw.json`, and others that the environment of the gateway names. */
export interface IncludeGround {
  /** Absolute. */
  configPath: string
  roots: readonly string[]
  /** What stands in a file, parsed. It has to lie inside the root also when links are followed. */
  load(path: string, root: string): Promise<unknown>
}

/**
 * The configuration with what `$include` names in its place, by the rules of the gateway: a path is relative to the file that names it;
 * of several files the later wins, objects are merged, lists joined; keys beside `$include` win over all of them.
 * @throws HoldfastError HOME_CONFIG_INVALID, and what `load` throws
 */
export async function withIncludes(parsed: unknown, ground: IncludeGround): Promise<unknown> {
  let files = 0
  const within = async (value: unknown, chain: readonly string[], depth: number): Promise<unknown> => {
    if (depth > depthMax) throw invalid(chain, `it is more than ${depthMax} levels deep`)
    if (Array.isArray(value)) {
      const items: unknown[] = []
      for (const item of value) items.push(await within(item, chain, depth + 1))
      return items
    }
    if (!isObject(value)) return value
    const fields: Fields = Object.create(null)
    for (const [key, each] of Object.entries(value)) {
      if (key !== '$include' && !unsafeKeys.has(key)) fields[key] = await within(each, chain, depth + 1)
    }
    if (!Object.hasOwn(value, '$include')) return fields
    const included = await fromAll(value.$include, chain, depth)
    if (Object.keys(fields).length === 0) return included
    if (isObject(included)) return merged(included, fields)
    throw invalid(chain, 'keys stand beside an $include of something that is no object')
  }
  const fromAll = async (names: unknown, chain: readonly string[], depth: number): Promise<unknown> => {
    if (typeof names === 'string') return await from(names, chain, depth)
    if (!Array.isArray(names)) throw invalid(chain, '$include is neither a path nor a list of paths')
    let all: unknown = {}
    for (const name of names) {
      if (typeof name !== 'string') throw invalid(chain, '$include has something else than a path in its list')
      all = merged(all, await from(name, chain, depth))
    }
    return all
  }
  const from = async (name: string, chain: readonly string[], depth: number): Promise<unknown> => {
    const { path, root } = placeOf(name, chain, ground.roots)
    if (chain.includes(path)) throw invalid(chain, `$include goes round in a circle: ${[...chain, path].join(' → ')}`)
    if (chain.length > nestedMax) throw invalid(chain, `$include goes deeper than ${nestedMax} files`)
    files += 1
    if (files > filesMax) throw invalid(chain, `more than ${filesMax} files are included`)
    return within(await ground.load(path, root), [...chain, path], depth + 1)
  }
  return within(parsed, [normalize(ground.configPath)], 0)
}

function placeOf(name: string, chain: readonly string[], roots: readonly string[]): { path: string; root: string } {
  if (name.includes('\0') || name.length >= pathLengthMax) throw invalid(chain, '$include names no path')
  const path = normalize(isAbsolute(name) ? name : resolve(dirname(chain.at(-1) ?? ''), name))
  const root = roots.find((each) => isInside(each, path))
  if (root === undefined) throw invalid(chain, `$include leads out of the folder of the configuration: ${name}`)
  return { path, root }
}

export type Fields = Record<string, unknown>

/** They would reach the prototype of an object. */
const unsafeKeys = new Set(['__proto__', 'prototype', 'constructor'])

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function merged(under: unknown, over: unknown): unknown {
  if (Array.isArray(under) && Array.isArray(over)) return [...under, ...over]
  if (!isObject(under) || !isObject(over)) return over
  const fields: Fields = Object.assign(Object.create(null), under)
  for (const [key, value] of Object.entries(over)) {
    fields[key] = Object.hasOwn(fields, key) ? merged(fields[key], value) : value
  }
  return fields
}

function invalid(chain: readonly string[], because: string): HoldfastError {
  return new HoldfastError('HOME_CONFIG_INVALID', { because: `${chain.at(-1)}: ${because}` })
}
