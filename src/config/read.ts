import { dirname, join, resolve } from 'node:path'
import JSON5 from 'json5'
import { z } from 'zod'
import { isSystemError, readTextIfPresent } from '../host/files.ts'
import { problemsOfLaneRules } from '../lanes/rules.ts'
import { HoldfastError } from '../model/errors.ts'
import { windowMaxMs } from '../model/turns.ts'
import { formatDuration } from '../model/units.ts'
import { problemsOfRetention } from '../retention/policy.ts'
import { problemsOf, schemaAt } from './problems.ts'
import { type ConfigValues, configSchema } from './schema.ts'
import { settingsOf } from './settings.ts'

/** A value from the command line, which wins over the file: `{ key: 'server.port', flag: '--port', value: '4800' }`. */
export interface Flag {
  key: string
  flag: string
  value: unknown
}

export interface ConfigInput {
  /** `--config FILE`; null: DATA/holdfast.json5, else holdfast.json5 in the working directory, else defaults only. */
  file: string | null
  /** `--data DIR`; null: what the file says, else `.holdfast` in the working directory. */
  directory: string | null
  flags: readonly Flag[]
  workingDirectory: string
}

export interface Config extends ConfigValues {
  /** The data directory, absolute. */
  data: string
  /** The file that was read; null when there was none. */
  file: string | null
}

const fileName = 'holdfast.json5'

/**
 * Reads the file, puts the flags over it, and checks all of it: every problem is in the one error, a line each.
 * @throws HoldfastError CONFIG_INVALID, USAGE when only flags are wrong, STORE_PERMISSION
 */
export function readConfig({ file, directory, flags, workingDirectory }: ConfigInput): Config {
  const given = directory === null ? null : resolve(workingDirectory, directory)
  const defaultData = resolve(workingDirectory, '.holdfast')
  const found =
    file === null
      ? (present(join(given ?? defaultData, fileName), 'STORE_PERMISSION') ?? present(join(workingDirectory, fileName)))
      : { path: resolve(workingDirectory, file), text: textOf(resolve(workingDirectory, file)) }
  if (found?.text === null) throw invalid([`${found.path}: there is no such file`])
  const values = checkConfig(found === null ? {} : parseFile(found.path, found.text), flags, found?.path ?? null)
  const told = values.data === undefined || found === null ? null : resolve(dirname(found.path), values.data)
  const inside = dirname(found?.path ?? '')
  if (told !== null && inside === (given ?? defaultData) && told !== inside) {
    throw invalid([`${found?.path}: data: a file in a data directory cannot name another one; use --data`])
  }
  return { ...values, data: given ?? told ?? defaultData, file: found?.path ?? null }
}

/** Checks what a file and the flags say, without touching the disk. @throws HoldfastError CONFIG_INVALID; USAGE when only flags are wrong */
export function checkConfig(parsed: unknown, flags: readonly Flag[], file: string | null): ConfigValues {
  const flagOf = new Map(flags.map((flag) => [flag.key, flag.flag]))
  const input = flags.reduce(withFlag, parsed)
  const result = configSchema.safeParse(input)
  const nameOf = (path: readonly PropertyKey[]) => flagOf.get(path.join('.')) ?? (path.join('.') || 'the whole file')
  const problems = result.success ? relationsOf(result.data) : problemsOf(result.error, configSchema, input, nameOf)
  const issues = result.success ? [] : result.error.issues
  if (issues.length > 0 && issues.every(({ path }) => flagOf.has(path.join('.')))) {
    throw new HoldfastError('USAGE', { because: problems.join('\n  ') })
  }
  if (problems.length > 0 || !result.success) throw invalid(problems, file)
  return result.data
}

/** Limits that depend on each other; the engine checks them again under its own names. */
function relationsOf(config: ConfigValues): string[] {
  const { model, turns, compaction } = config
  const { lanes, retention } = settingsOf(config)
  const problems = [...problemsOfLaneRules(lanes), ...problemsOfRetention(retention)]
  const demand = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem)
  }
  demand(
    model.answerTokens < model.contextWindow,
    `model.answerTokens: found ${model.answerTokens}, allowed is less than model.contextWindow (${model.contextWindow})`,
  )
  demand(
    compaction.keepShare < compaction.softShare,
    `compaction.keepShare: found ${compaction.keepShare}, allowed is less than compaction.softShare (${compaction.softShare})`,
  )
  demand(
    turns.stallLimit <= turns.timeLimit,
    `turns.stallLimit: found ${formatDuration(turns.stallLimit)}, allowed is at most turns.timeLimit (${formatDuration(turns.timeLimit)})`,
  )
  demand(
    turns.coalesceWindow <= windowMaxMs,
    `turns.coalesceWindow: found ${formatDuration(turns.coalesceWindow)}, allowed is at most ${formatDuration(windowMaxMs)}`,
  )
  demand(
    compaction.backoffFirst <= compaction.backoffMax,
    `compaction.backoffFirst: found ${formatDuration(compaction.backoffFirst)}, allowed is at most compaction.backoffMax (${formatDuration(compaction.backoffMax)})`,
  )
  demand(
    (model.url === null) === (model.name === null),
    'model.url and model.name (`--model-url` and `--model`): give both, or neither for the demo model',
  )
  return problems
}

/** The input with one flag set in it. What is not an object on the way stays, to be reported as what it is. */
function withFlag(input: unknown, { key, value }: Flag): unknown {
  const path = key.split('.')
  const set = (node: unknown, depth: number): unknown => {
    const name = path[depth]
    if (name === undefined) return typedLike(path, value)
    const isObject = typeof node === 'object' && node !== null && !Array.isArray(node)
    if (!isObject && node !== undefined) return node
    const fields = (node ?? {}) as Record<string, unknown>
    return { ...fields, [name]: set(fields[name], depth + 1) }
  }
  return set(input, 0)
}

/** Command lines hold text only: `4800` is a number where the key wants one. */
function typedLike(path: string[], value: unknown): unknown {
  const isNumber = typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value)
  return isNumber && schemaAt(configSchema, path) instanceof z.ZodNumber ? Number(value) : value
}

/** Who may not look into the data directory has no problem of configuration: `forbidden` says what it is. */
function present(path: string, forbidden: Forbidden = 'CONFIG_INVALID'): { path: string; text: string } | null {
  const text = textOf(path, forbidden)
  return text === null ? null : { path, text }
}

type Forbidden = 'CONFIG_INVALID' | 'STORE_PERMISSION'

function textOf(path: string, forbidden: Forbidden = 'CONFIG_INVALID'): string | null {
  try {
    return readTextIfPresent(path)
  } catch (error) {
    if (forbidden !== 'CONFIG_INVALID' && isSystemError(error, 'EACCES', 'EPERM')) {
      throw new HoldfastError(forbidden, { because: `${path} (${error.code})` }, { cause: error })
    }
    if (isSystemError(error)) throw invalid([`${path}: it is there but cannot be read (${error.code})`])
    throw error
  }
}

function parseFile(path: string, text: string): unknown {
  try {
    return JSON5.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid([`${path}: ${error.message.replace(/^JSON5: /, '')}`])
    throw error
  }
}

function invalid(problems: string[], file: string | null = null): HoldfastError {
  const lines = file === null || problems.length === 0 ? problems : [`in ${file}`, ...problems]
  return new HoldfastError('CONFIG_INVALID', { because: lines.join('\n  '), problems: problems.length })
}
