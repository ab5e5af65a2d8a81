import { findDatabase } from '../../sqlite/database/directory.ts'
import { openReadOnly, sqliteStore } from '../../sqlite/open.ts'
import { readCommandConfig } from '../config/read.ts'
import type { CommandOptions } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import type { Reached } from './api.ts'

type InProcess = Pick<Reached, 'fetch' | 'release'>

/** The API beside whoever has the store, which is not changed. @throws HoldfastError STORE_MISSING and others of opening */
export async function openForReading(
  directory: string,
  options: CommandOptions,
  terminal: Terminal,
): Promise<InProcess> {
  findDatabase(directory)
  const config = await readCommandConfig(options, terminal)
  // each takes about as long as the other
  const [store, { openApp }] = await Promise.all([openReadOnly(directory), import('./app.ts')])
  return openApp(async () => store, 'read', directory, config, terminal)
}

/** The API on the store itself, which is ours until release. @throws HoldfastError STORE_IN_USE, STORE_MISSING and others */
export async function openForWriting(
  directory: string,
  options: CommandOptions,
  terminal: Terminal,
): Promise<InProcess> {
  findDatabase(directory) // a command makes no store, only `serve` does
  const config = await readCommandConfig(options, terminal)
  const { openApp } = await import('./app.ts')
  return openApp(sqliteStore(directory), 'write', directory, config, terminal)
}
