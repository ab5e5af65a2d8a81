import { openHoldfast } from '../../src/engine/holdfast.ts'
import { postgresStore } from '../../src/postgres/open.ts'
import type { Server } from '../../test/postgres/server.ts'
import type { Bench } from '../bench.ts'
import type { Figure, Section } from '../report.ts'
import { benchKey } from '../stored.ts'

const sessions = 64
const message = 'A message as long as people write them now and then. '.repeat(20).slice(0, 1_000)

/** What a turn leaves in the database and in its log: a question and an answer of 1,000 letters each. */
export async function costOfTurns(bench: Bench, server: Server, url: string): Promise<Section> {
  bench.progress('postgres: what a turn costs')
  const each = bench.quick ? 10 : 40
  const before = await countersOf(server)
  {
    await using engine = await openHoldfast({ store: postgresStore(url), run: async () => message, watch: false })
    const client = async (_: unknown, index: number) => {
      for (let count = 0; count < each; count += 1) {
        const { turn } = await engine.submit({ key: benchKey(index), messages: message })
        await engine.settled(turn.id)
      }
    }
    await Promise.all(Array.from({ length: sessions }, client))
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500)) // the server's counters are told once a second
  const after = await countersOf(server)
  const turns = sessions * each
  await server.query('VACUUM FULL', 'postgres')
  const sizes = await server.query(
    `SELECT c.relname AS name, CAST(pg_total_relation_size(c.oid) AS DOUBLE PRECISION) AS bytes
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'costs' AND c.relkind = 'r' ORDER BY 2 DESC LIMIT 3`,
  )
  const perTurn = (name: 'commits' | 'wal'): number => (after[name] - before[name]) / turns
  const figure = (value: number, unit: Figure['unit']): Figure[] => [{ label: 'for each turn', value, unit }]
  return {
    title: `what a turn costs in PostgreSQL: ${turns.toLocaleString('en-US')} turns of two messages of 1,000 letters`,
    rows: [
      { name: 'transactions, those that read too', role: 'holdfast', figures: figure(perTurn('commits'), 'times') },
      { name: 'bytes of its log (WAL)', role: 'holdfast', figures: figure(perTurn('wal'), 'bytes') },
      ...sizes.map(({ name, bytes }) => ({
        name: `bytes of ${name}, indexes included, vacuumed`,
        role: 'holdfast' as const,
        figures: figure(Number(bytes) / turns, 'bytes'),
      })),
    ],
    targets: [],
    notes: [],
  }
}

async function countersOf(server: Server): Promise<Record<'commits' | 'wal', number>> {
  const [row] = await server.query(
    `SELECT (SELECT sum(xact_commit) FROM pg_stat_database)::float8 AS commits,
       pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS wal`,
  )
  return row as Record<'commits' | 'wal', number>
}
