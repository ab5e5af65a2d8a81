import { HoldfastError } from '../../model/errors.ts'
import { readCommandConfig } from '../config/read.ts'
import { type CommandOptions, command, wholeNumber, wholeNumberTo } from '../options.ts'
import type { Terminal } from '../terminal.ts'

interface MigrateOptions extends CommandOptions {
  sql?: true
  role?: string
  partitions?: number
  span: number
}

/** Half a year of a thousand new conversations a day, or a day of a very large service. */
const spanDefault = 200_000

/** A statement that cannot tell the span looks into as many tables of each. */
const partitionsMax = 1_024

export function migrate(terminal: Terminal) {
  return command('migrate', 'Make or update the tables of a store in PostgreSQL', [
    'holdfast migrate --store postgres://owner@db.example.org/agents',
    'holdfast migrate --store postgres://owner@db.example.org/agents --role gateway',
    'holdfast migrate --store postgres://owner@db.example.org/agents --partitions 16',
    'holdfast migrate --sql > holdfast.sql',
  ])
    .option('--sql', 'print what would be run, and change nothing')
    .option('--role <name>', 'also grant this role what a gateway needs, and no more')
    .option(
      '--partitions <n>',
      'deal entries out to so many tables by a hash, and by time; only when the tables are made',
      wholeNumberTo(partitionsMax),
    )
    .option(
      '--span <n>',
      'with --partitions: so many new transcripts share such tables before others are used',
      wholeNumber,
      spanDefault,
    )
    .action(async (options: MigrateOptions) => {
      const { store, data } = await readCommandConfig(options, terminal)
      const postgres = await import('../../postgres/migrating.ts')
      if (options.sql === true) return await printSql(postgres, store.url, options, terminal)
      if (store.url === null) {
        throw new HoldfastError('USAGE', {
          because: `give the address of the database with --store; the SQLite store in ${data} is updated by \`holdfast serve\``,
        })
      }
      const done = await postgres.migrateAt(store.url, given(options))
      if (options.json === true) return await terminal.printJson(done)
      const what =
        done.from === done.to
          ? 'is of this version already'
          : done.from === 0
            ? 'was made'
            : `was updated from version ${done.from}`
      await terminal.print(`The schema at ${done.store} ${what} (${done.to}).`)
      if (done.role !== null) await terminal.print(`The role ${done.role} may do what a gateway needs.`)
      if (done.spans !== null)
        await terminal.print(
          `Spans of partitions: ${done.spans.made} made for what comes, ${done.spans.dropped} dropped that were empty.`,
        )
      else if (options.partitions !== undefined)
        terminal.note('Entries are in one table, as it was made: copy the store into a new schema to partition them.')
    })
}

const given = ({ role, partitions, span }: MigrateOptions) => ({
  role: role ?? null,
  partitions: partitions === undefined ? null : { count: partitions, span },
})

async function printSql(
  postgres: typeof import('../../postgres/migrating.ts'),
  url: string | null,
  options: MigrateOptions,
  terminal: Terminal,
): Promise<void> {
  const sql = await postgres.sqlFor(url, given(options))
  if (options.json === true) await terminal.printJson({ sql })
  else await terminal.print(sql.trimEnd())
}
