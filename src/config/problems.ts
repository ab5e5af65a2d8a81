import { z } from 'zod'
import { cutText } from '../model/text.ts'
import { variableNameAllowed } from './leaves.ts'

/** Where a value came from, for messages: `turns.timeLimit` of a file, or a flag such as `--port`. */
export type NameOfKey = (path: readonly PropertyKey[]) => string

/** One line for each thing that is wrong: the key, what was found, what is allowed. */
export function problemsOf(error: z.ZodError, schema: z.core.$ZodType, input: unknown, nameOf: NameOfKey): string[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(schema, issue.path, key))
    const found = issue.message === variableNameAllowed ? 'something else' : spellValue(valueAt(input, issue.path))
    return [`${nameOf(issue.path)}: found ${found}, allowed is ${issue.message}`]
  })
}

/** What people paste into a field for a variable's name is often the secret, so that one is never shown. */
function spellValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  return cutText(JSON.stringify(value) ?? String(value), 80)
}

function unknownKey(schema: z.core.$ZodType, path: readonly PropertyKey[], key: string): string {
  const known = keysAt(schema, path)
  const whole = [...path, key].join('.')
  const elsewhere = leafPaths(schema).find((leaf) => leaf.endsWith(`.${key}`))
  const near = nearest(key, known)
  const hint =
    near !== null
      ? `did you mean "${[...path, near].join('.')}"?`
      : elsewhere !== undefined
        ? `did you mean "${elsewhere}"?`
        : `known there: ${known.join(', ')}`
  return `${whole}: there is no such key; ${hint}`
}

/** The schema of a key without its wrappers (default, nullable, optional); null when there is none. */
export function schemaAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType | null {
  let found: z.core.$ZodType | null = unwrapped(schema)
  for (const key of path) {
    const next: z.core.$ZodType | undefined =
      found instanceof z.ZodObject ? (found.shape as Record<PropertyKey, z.core.$ZodType>)[key] : undefined
    if (next === undefined) return null
    found = unwrapped(next)
  }
  return found
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const wraps = schema instanceof z.ZodPrefault || schema instanceof z.ZodNullable || schema instanceof z.ZodOptional
  return wraps ? unwrapped(schema.def.innerType as z.core.$ZodType) : schema
}

function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const found = schemaAt(schema, path)
  return found instanceof z.ZodObject ? Object.keys(found.shape) : []
}

function leafPaths(schema: z.core.$ZodType, path: string[] = []): string[] {
  const keys = keysAt(schema, path)
  if (keys.length === 0) return [path.join('.')]
  return keys.flatMap((key) => leafPaths(schema, [...path, key]))
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((node, key) => (node as Record<PropertyKey, unknown> | undefined)?.[key], input)
}

/** The most alike of `known`, when at most two letters or a third of them differ. */
export function nearest(key: string, known: readonly string[]): string | null {
  const ranked = known
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((left, right) => left.distance - right.distance)
  const best = ranked[0]
  return best !== undefined && best.distance <= Math.max(best.name.length > 3 ? 2 : 1, best.name.length / 3)
    ? best.name
    : null
}

/** Insertions, deletions and replacements between two texts (Wagner and Fischer 1974, one row kept). */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[right.length] as number
}
