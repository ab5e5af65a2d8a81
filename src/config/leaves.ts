import { z } from 'zod'
import { isTimeZone } from '../engine/settings.ts'
import { HoldfastError, isHoldfastError } from '../model/errors.ts'
import { parseDuration, parseSize } from '../model/units.ts'

/**
 * The kinds of value that a configuration may hold. The message of every issue is what is allowed there, so that a
 * problem reads `key: found X, allowed is <message>`.
 */

/** A span of time, given as text; milliseconds afterwards. */
export function duration(leastMs: number) {
  const allowed = `a duration such as "90s", "24h" or "30d", at least ${spellDuration(leastMs)}`
  return quantity(parseDuration, leastMs, allowed).meta({ examples: ['90s', '24h', '30d'] })
}

/** An amount of storage, given as text; bytes afterwards. */
export function size(leastBytes: number) {
  const allowed = `a size such as "512kb", "10mb" or "2gb", at least ${spellSize(leastBytes)}`
  return quantity(parseSize, leastBytes, allowed).meta({ examples: ['512kb', '10mb', '2gb'] })
}

/** The same, or `false` for none; null afterwards. */
export function orNever<Leaf extends z.ZodType>(leaf: Leaf) {
  return z.union([z.literal(false), leaf]).transform((found) => (found === false ? null : found))
}

export function timeZone() {
  const error = 'a time zone such as "Europe/Vienna" or "UTC"'
  return z.string({ error }).refine(isTimeZone, { error })
}

function quantity(parse: (text: string) => number, least: number, allowed: string) {
  return z.string({ error: allowed }).transform((text, context) => {
    const found = parsedOrNull(parse, text)
    if (found !== null && found >= least) return found
    context.addIssue({ code: 'custom', message: allowed })
    return z.NEVER
  })
}

function parsedOrNull(parse: (text: string) => number, text: string): number | null {
  try {
    return parse(text)
  } catch (error) {
    if (isHoldfastError(error, 'CONFIG_INVALID')) return null
    throw error
  }
}

export function wholeNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`
  return z.int({ error }).min(least, { error }).max(most, { error })
}

/** A part of a whole, both ends excluded. */
export function share() {
  const error = 'a number between 0 and 1, such as 0.6'
  return z.number({ error }).gt(0, { error }).lt(1, { error })
}

export function yesOrNo() {
  return z.boolean({ error: 'true or false' })
}

export function choice<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, { error: `one of ${names.map((name) => `"${name}"`).join(', ')}` })
}

export function words(allowed: string) {
  return z.string({ error: allowed }).min(1, { error: allowed })
}

export function listOfWords(allowed: string) {
  return z.array(words(allowed), { error: `a list, each ${allowed}` })
}

export const variableNameAllowed = 'the name of an environment variable, such as "MODEL_API_KEY"'

/** Names a variable and never holds the secret itself: files are copied around. */
export function variableName() {
  return z
    .string({ error: variableNameAllowed })
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, { error: variableNameAllowed })
}

export function webAddress() {
  const error = 'an address such as "http://127.0.0.1:11434/v1"'
  return z.url({ protocol: /^https?$/, error })
}

export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'an object { … }'),
  })
}

/** The inverse of `parseDuration` for whole multiples: 600000 → `10m`. */
export function spellDuration(ms: number): string {
  return spell(ms, { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 })
}

/** The inverse of `parseSize` for whole multiples: 20971520 → `20mb`. */
export function spellSize(bytes: number): string {
  return spell(bytes, { gb: 1024 ** 3, mb: 1024 ** 2, kb: 1024, b: 1 })
}

function spell(amount: number, units: Record<string, number>): string {
  const found = Object.entries(units).find(([, one]) => amount >= one && amount % one === 0)
  if (found !== undefined) return `${amount / found[1]}${found[0]}`
  if (amount === 0) return `0${Object.keys(units).at(-1)}`
  throw new HoldfastError('INTERNAL', { because: `${amount} cannot be spelled` })
}
