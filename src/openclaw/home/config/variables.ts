import { isObject } from './includes.ts'

type Lookup = (name: string) => string | undefined

/**
 * Puts variables in, as the gateway does: `${NAME}` in capitals; `$${NAME}` stands for `${NAME}` itself; one that is not set, or empty,
 * stays as it is written and is named in `missing`.
 */
export function withVariables(value: unknown, lookup: Lookup, missing: Set<string>): unknown {
  if (typeof value === 'string') return inText(value, lookup, missing)
  if (Array.isArray(value)) return value.map((each) => withVariables(each, lookup, missing))
  if (!isObject(value)) return value
  const fields: Record<string, unknown> = Object.create(null)
  for (const [key, each] of Object.entries(value)) fields[key] = withVariables(each, lookup, missing)
  return fields
}

const reference = /(\$?)\$\{([A-Z_][A-Z0-9_]*)\}/g

function inText(text: string, lookup: Lookup, missing: Set<string>): string {
  return text.replace(reference, (whole, escaped: string, name: string) => {
    if (escaped !== '') return whole.slice(1)
    const found = lookup(name)
    if (found !== undefined && found !== '') return found
    missing.add(name)
    return whole
  })
}

/** Variables that the configuration itself sets, under `env` and `env.vars`; the former win, and neither over the environment. */
export function variablesOf(env: unknown): Map<string, string> {
  const found = new Map<string, string>()
  const take = (fields: unknown) => {
    if (!isObject(fields)) return
    for (const [name, value] of Object.entries(fields)) {
      const usable = typeof value === 'string' && value.trim() !== '' && !refers(value)
      if (usable) found.set(name.trim(), value)
    }
  }
  if (isObject(env)) take(env.vars)
  take(env)
  return found
}

/** The gateway leaves variables out whose value names another. */
const refers = (text: string): boolean => [...text.matchAll(reference)].some(([, escaped]) => escaped === '')
