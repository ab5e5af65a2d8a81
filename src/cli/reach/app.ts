import type { Config } from '../../config/read.ts'
import { settingsOf } from '../../config/settings.ts'
import { openHoldfast } from '../../engine/holdfast.ts'
import { silentLog } from '../../host/log.ts'
import { packageVersion } from '../../host/version.ts'
import { createApp } from '../../http/app.ts'
import { createMetrics } from '../../http/watch/metrics.ts'
import type { OpenStore } from '../../store/port.ts'
import { modelNamesOf, summarizerOf } from '../serve/models.ts'
import type { Terminal } from '../terminal.ts'
import type { Reached } from './api.ts'

/** The API in this process. No turns are run: they wait for the next gateway. @throws HoldfastError what opening throws */
export async function openApp(
  store: OpenStore,
  use: 'read' | 'write',
  archives: string,
  config: Config,
  terminal: Terminal,
): Promise<Pick<Reached, 'fetch' | 'release'>> {
  const { clock, env } = terminal.outside
  const version = packageVersion()
  const metrics = createMetrics(version, clock)
  const summarize = use === 'read' ? null : await summarizerOf(config, env, clock, silentLog)
  const holdfast = await openHoldfast({ store, run: null, summarize, settings: settingsOf(config), archives, clock })
  const app = createApp({
    holdfast,
    metrics,
    models: modelNamesOf(config),
    access: { host: 'localhost', token: null, peerToken: null, allowedHosts: [] },
    bodyMax: config.server.bodyMax,
    onBusy: config.turns.onBusy,
    clock,
    log: silentLog,
    version,
    reload: null,
  })
  return {
    fetch: async (request) => app.fetch(request),
    release: async () => {
      await holdfast.close()
      metrics.close()
    },
  }
}
