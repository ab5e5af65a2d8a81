import { afterAll, beforeAll, describe, it } from 'vitest'
import { storeContract } from '../../src/testing/contract/suite.ts'
import { postgresGround } from '../postgres/ground.ts'
import { Server } from '../postgres/server.ts'

let server: Server
beforeAll(async () => {
  server = await Server.start()
})
afterAll(() => server.stop())

storeContract('PostgreSQL', () => postgresGround(server), { describe, it: it.concurrent })
