import { afterAll, beforeAll, describe, it } from 'vitest'
import { storeContract } from '../../src/testing/contract/suite.ts'
import { postgresGround } from '../postgres/ground.ts'
import { Server } from '../postgres/server.ts'

let server: Server
beforeAll(async () => {
  server = await Server.start(['fsync=off', 'max_connections=200', 'max_locks_per_transaction=256'])
})
afterAll(() => server.stop())

/** Spans so short that a test's transcripts are in several, and some in none. */
const partitions = { count: 3, span: 2 }

storeContract('PostgreSQL with partitions', () => postgresGround(server, partitions), { describe, it })
