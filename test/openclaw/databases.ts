import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import { unpackFixture } from './unpack.ts'

/**
 * The database of agent `main` of a gateway of 2026.9.4 (schema 19) that was killed: most of it is still in its log. As after a kill
 * (`-wal` and `-shm` lie there), or as after a copy that left `-shm` out.
 */
export function unpackKilled(root: string): string {
  const archive = new URL('fixtures/openclaw-agent-2026.9.4-killed.tar.zst', import.meta.url)
  execFileSync('tar', ['-xf', '-', '-C', root], { input: zstdDecompressSync(readFileSync(archive)) })
  return join(root, 'openclaw-agent.sqlite')
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

/** A program that writes to a database as a gateway does, at each line that it is sent. */
export const gatewayProgram = fileURLToPath(new URL('programs/write-database.ts', import.meta.url))
