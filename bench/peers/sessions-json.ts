import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

export interface IndexRow {
  key: string
  title: string
  updatedAtMs: number
  [other: string]: unknown
}

/** About 1 KB a session, as the indexes of file gateways have. */
export function writeSessionsJson(path: string, sessions: number): void {
  const rows = Array.from({ length: sessions }, (_, index): [string, IndexRow] => {
    const key = `agent:main:chat:direct:${index}`
    return [key, { key, title: `Session ${index}`, updatedAtMs: index, note: 'x'.repeat(900) }]
  })
  writeFileSync(path, JSON.stringify(Object.fromEntries(rows)))
}

/** One session's title changes: the whole file is parsed and written anew, then takes the old one's place. */
export function patchSessionsJson(path: string, key: string, title: string, durable: boolean): void {
  const rows = JSON.parse(readFileSync(path, 'utf8')) as Record<string, IndexRow>
  const row = rows[key]
  if (row === undefined) throw new Error('no such session')
  rows[key] = { ...row, title }
  const beside = `${path}.new`
  const file = openSync(beside, 'w', 0o600)
  writeSync(file, JSON.stringify(rows))
  if (durable) fsyncSync(file)
  closeSync(file)
  renameSync(beside, path)
  if (durable) syncDirectory(dirname(path))
}

export function listSessionsJson(path: string, limit: number): IndexRow[] {
  const rows = JSON.parse(readFileSync(path, 'utf8')) as Record<string, IndexRow>
  return Object.values(rows)
    .sort((a, b) => b.updatedAtMs - a.updatedAtMs)
    .slice(0, limit)
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}
