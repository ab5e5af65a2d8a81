import type { Config } from '../../config/read.ts'
import { readCommandConfig } from '../config/read.ts'
import type { CommandOptions } from '../options.ts'
import { openForReadingOf, storeOf } from '../store/place.ts'
import type { Terminal } from '../terminal.ts'
import type { Reached } from './api.ts'

type InProcess = Pick<Reached, 'fetch' | 'release'>

/** The API beside whoever has the store, which is not changed. @throws HoldfastError STORE_MISSING and others of opening */
export async function openForReading(
  directory: string,
  options: CommandOptions,
  terminal: Terminal,
): Promise<InProcess> {
  const config = await configFor(directory, options, terminal)
  // each takes about as long as the other
  const [store, { openApp }] = await Promise.all([openForReadingOf(config), import('./app.ts')])
  return openApp(async () => store, 'read', directory, config, terminal)
}

/** The API on the store itself, which is ours until release. @throws HoldfastError STORE_IN_USE, STORE_MISSING and others */
export async function openForWriting(
  directory: string,
  options: CommandOptions,
  terminal: Terminal,
): Promise<InProcess> {
  const config = await configFor(directory, options, terminal)
  const { openApp } = await import('./app.ts')
  return openApp(await storeOf(config), 'write', directory, config, terminal)
}

/** A command makes no store in a directory, only `serve` does. @throws HoldfastError STORE_MISSING and others */
async function configFor(directory: string, options: CommandOptions, terminal: Terminal): Promise<Config> {
  const config = await readCommandConfig(options, terminal)
  if (config.store.url !== null) return config
  const { findDatabase } = await import('../../sqlite/database/directory.ts')
  findDatabase(directory)
  return config
}
