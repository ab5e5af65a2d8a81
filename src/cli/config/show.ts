import { type CommandOptions, command } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import { readCommandConfig } from './read.ts'

export function configShow(terminal: Terminal) {
  return command('show', 'What holds: the file and the defaults together', [
    'holdfast config show',
    'holdfast config show --data /srv/holdfast',
  ]).action(async (options: CommandOptions) => {
    const { file, ...values } = await readCommandConfig(options, terminal)
    const { configJsonSchema } = await import('../../config/schema.ts')
    const { spellDuration, spellSize } = await import('../../config/leaves.ts')
    const spelled = spell(values, configJsonSchema(), (value, example) =>
      example.endsWith('b') ? spellSize(value) : spellDuration(value),
    )
    if (options.json === true) return await terminal.printJson({ file, config: spelled })
    terminal.note(file === null ? 'No configuration file; these are the defaults.' : `From ${file} and the defaults.`)
    await terminal.print(...linesOf(spelled, ''))
  })
}

/** The part of JSON Schema that is looked at here. */
interface Described {
  default?: unknown
  properties?: Record<string, Described>
}

/** As one would write it in the file: what has a text as its default and is a number here is a duration or a size. */
function spell(value: unknown, schema: Described, words: (value: number, example: string) => string): unknown {
  if (typeof value === 'number' && typeof schema.default === 'string') return words(value, schema.default)
  if (value === null || typeof value !== 'object' || schema.properties === undefined) return value
  const { properties } = schema
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, spell(item, properties[key] ?? {}, words)]),
  )
}

/** `server.port = 4747`, one line for each value. */
function linesOf(value: unknown, path: string): string[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [`${path} = ${JSON.stringify(value)}`]
  return Object.entries(value).flatMap(([key, item]) => linesOf(item, path === '' ? key : `${path}.${key}`))
}
