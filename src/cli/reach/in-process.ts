import { settingsOf } from '../../config/settings.ts'
import { openHoldfast } from '../../engine/holdfast.ts'
import { silentLog } from '../../host/log.ts'
import { packageVersion } from '../../host/version.ts'
import { createApp } from '../../http/app.ts'
import { createMetrics } from '../../http/watch/metrics.ts'
import { findDatabase } from '../../sqlite/file/directory.ts'
import { openReadOnly, sqliteStore } from '../../sqlite/open.ts'
import type { OpenStore } from '../../store/port.ts'
import { readCommandConfig } from '../config/read.ts'
import type { CommandOptions } from '../options.ts'
import { modelsOf } from '../serve/models.ts'
import type { Terminal } from '../terminal.ts'
import type { Reached } from './api.ts'

type InProcess = Pick<Reached, 'fetch' | 'release'>

/** The API beside whoever has the store, which is not changed. @throws HoldfastError STORE_MISSING and others of opening */
export function openForReading(directory: string, options: CommandOptions, terminal: Terminal): Promise<InProcess> {
  return openWith(async () => openReadOnly(directory), options, terminal)
}

/** The API on the store itself, which is ours until release. @throws HoldfastError STORE_IN_USE, STORE_MISSING and others */
export async function openForWriting(
  directory: string,
  options: CommandOptions,
  terminal: Terminal,
): Promise<InProcess> {
  findDatabase(directory) // a command makes no store, only `serve` does
  return openWith(sqliteStore(directory), options, terminal)
}

/** No turns are run: they wait for the next gateway. */
async function openWith(store: OpenStore, options: CommandOptions, terminal: Terminal): Promise<InProcess> {
  const { clock, env } = terminal.outside
  const config = await readCommandConfig(options, terminal)
  const models = modelsOf(config, env, clock, silentLog)
  const version = packageVersion()
  const metrics = createMetrics(version, clock)
  const { summarize } = models
  const holdfast = await openHoldfast({ store, run: null, summarize, settings: settingsOf(config), clock })
  const app = createApp({
    holdfast,
    metrics,
    models,
    access: { host: 'localhost', token: null, allowedHosts: [] },
    bodyMax: config.server.bodyMax,
    onBusy: config.turns.onBusy,
    clock,
    log: silentLog,
    version,
  })
  return {
    fetch: async (request) => app.fetch(request),
    release: async () => {
      await holdfast.close()
      metrics.close()
    },
  }
}
