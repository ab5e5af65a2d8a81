import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import { Reader, type Reads } from '../../src/openclaw/database/reader.ts'
import type { Place } from '../../src/openclaw/database/schema.ts'
import { unpackFixture } from './unpack.ts'

/**
 * The database of agent `main` of a gateway of 2026.9.4 (schema 19) that was killed: most of it is still in its log. As after a kill
 * (`-wal` and `-shm` lie there), or as after a copy that left `-shm` out.
 */
export function unpackKilled(root: string): string {
  unpackArchive('openclaw-agent-2026.9.4-killed', root)
  return join(root, 'openclaw-agent.sqlite')
}

/** The home of 2026.9.6 with nothing but agent `work`, after its gateway has put all four transcripts into cold storage. */
export function unpackCold(root: string): string {
  unpackArchive('openclaw-work-2026.9.6-cold', root)
  return join(root, '.openclaw')
}

function unpackArchive(name: string, root: string): void {
  const archive = new URL(`fixtures/${name}.tar.zst`, import.meta.url)
  execFileSync('tar', ['-xf', '-', '-C', root], { input: zstdDecompressSync(readFileSync(archive)) })
}

let settled: string | null = null

/** The database of an agent of the fixture of 2026.9.6 (schema 23), as after a clean end. */
export function unpackSettled(root: string, agent: 'main' | 'work' = 'main'): string {
  settled ??= unpackFixture('2026.9.6', mkdtempSync(join(tmpdir(), 'holdfast-settled-'))).dir
  const folder = join(root, agent)
  cpSync(join(settled, 'agents', agent, 'agent'), folder, { recursive: true, preserveTimestamps: true })
  return join(folder, 'openclaw-agent.sqlite')
}

/** Of {@link unpackSettled}: what it copies from is made once for a file of tests. */
export function removeSettled(): void {
  if (settled !== null) rmSync(join(settled, '../..'), { recursive: true })
  settled = null
}

/** Changes a database as nobody should; its log is brought in at the end. */
export function tamper(path: string, ...statements: string[]): void {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false, defensive: false })
  db.exec(statements.join(';'))
  db.close()
}

/** Everything that lies beside a database, with the time and the bytes of each: the same string, the same files. */
export function stateOf(path: string): string {
  const folder = dirname(path)
  const files = readdirSync(folder).sort()
  const lines = files.map((name) => {
    const { size, mtimeNs, mode } = statSync(join(folder, name), { bigint: true })
    return `${name} ${size} ${mtimeNs} ${mode} ${readFileSync(join(folder, name)).toString('base64')}`
  })
  return lines.join('\n')
}

/** A program that reads a database as Holdfast does and prints its rows: {@link program} PATH AGENT. */
export const readProgram = fileURLToPath(new URL('programs/read-database.ts', import.meta.url))

const gatewayProgram = fileURLToPath(new URL('programs/write-database.ts', import.meta.url))

/** What a test reads with, in its own thread. */
export class Reading {
  readonly #reader = new Reader()

  ask<N extends keyof Reads>(place: Place, name: N, input: unknown): ReturnType<Reads[N]> {
    return this.#reader.ask(place, name, input) as ReturnType<Reads[N]>
  }

  /** Every row of every transcript, by session key. */
  all(path: string, agentId = 'main'): Map<string, string[]> {
    const place = { path, agentId }
    const found = new Map<string, string[]>()
    for (const { key } of this.ask(place, 'readSessions', { after: '' }).items) {
      const windows = this.ask(place, 'readWindows', { key })
      const texts = windows.flatMap(({ sessionId, rows: count }) => {
        const { rows } = this.ask(place, 'readRows', { sessionId, after: -1, rowBytesMax: 1024 ** 2 })
        assert.equal(rows.length, count)
        return rows.map(({ json }) => json ?? '')
      })
      found.set(key, texts)
    }
    return found
  }

  /** Also by the end of the connection. */
  expectUnchanged(path: string, before: string): void {
    this.close()
    assert.equal(stateOf(path), before)
  }

  close(): void {
    this.#reader.close()
  }
}

export const countRows = (found: Map<string, string[]>): number => [...found.values()].flat().length

/** Nobody on Linux; the directory is not writable for it, nor for others than its owner. */
const nobody = 65_534

export function readAsOther(root: string, path: string): unknown {
  chmodSync(root, 0o755)
  for (let folder = dirname(path); folder !== root; folder = dirname(folder)) chmodSync(folder, 0o555)
  execFileSync('chmod', ['-R', 'a+r', dirname(path)])
  return runAsOther(root, path)
}

/** As root, as somebody else; a user of his own is refused by the modes alone. */
export function runAsOther(root: string, path: string): unknown {
  chmodSync(root, 0o755)
  const isRoot = process.getuid?.() === 0
  if (isRoot) for (let folder = dirname(path); folder !== root; folder = dirname(folder)) chownSync(folder, 1, 1)
  const who = isRoot ? { uid: nobody, gid: nobody } : {}
  return JSON.parse(execFileSync(process.execPath, [readProgram, path], { ...who, encoding: 'utf8' }))
}

/** Another process that has the database open, and writes. */
export class FakeGateway implements AsyncDisposable {
  readonly #child
  readonly #answers

  constructor(path: string) {
    this.#child = spawn(process.execPath, [gatewayProgram, path])
    this.#child.stderr.pipe(process.stderr)
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  static async start(path: string): Promise<FakeGateway> {
    const gateway = new FakeGateway(path)
    await gateway.#answers.next()
    return gateway
  }

  async do(sql: string): Promise<void> {
    this.#child.stdin.write(`${sql}\n`)
    assert.equal((await this.#answers.next()).value, 'ok')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.stdin.end()
    await ended
  }
}
