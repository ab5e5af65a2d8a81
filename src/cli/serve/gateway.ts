import type { Config } from '../../config/read.ts'
import { settingsOf } from '../../config/settings.ts'
import { openHoldfast } from '../../engine/holdfast.ts'
import type { Runner } from '../../engine/runner.ts'
import { prepareSocketPath } from '../../host/local-socket.ts'
import { jsonLog } from '../../host/log.ts'
import { randomSecret } from '../../host/random.ts'
import { packageVersion } from '../../host/version.ts'
import { checkBinding } from '../../http/access.ts'
import { type App, createApp } from '../../http/app.ts'
import type { Reloaded } from '../../http/deps.ts'
import { type Listener, listen } from '../../http/listen.ts'
import { followPeers } from '../../http/peers/follow.ts'
import { createMetrics } from '../../http/watch/metrics.ts'
import { HoldfastError } from '../../model/errors.ts'
import { writeOwnerAddress } from '../../sqlite/owner.ts'
import type { OpenStore } from '../../store/port.ts'
import type { Outside } from '../outside.ts'
import { storeOf } from '../store/place.ts'
import { takeDirectory } from './directory.ts'
import type { GatewayPlace } from './greeting.ts'
import { checkSecrets, modelNamesOf, runnerOf, secretOf, summarizerOf } from './models.ts'
import { LiveConfig } from './reload.ts'

export interface Gateway {
  place: GatewayPlace
  /** What holds now. */
  config(): Config
  /** @throws HoldfastError CONFIG_INVALID and others of reading: nothing has changed */
  reload(): Promise<Reloaded>
  /** Nothing new is accepted, what runs may end within `drainMs`, then everything is closed. */
  close(drainMs: number): Promise<void>
}

/** Answers that were being sent when the engine closed, such as the last event of a stream. */
const lastAnswersMs = 1_000

/**
 * A gateway that listens on TCP and on its local socket.
 *
 * The order matters: first the store, so that a second gateway on the same data is told who has it; then the
 * addresses, so that one that is taken starts no turn and uses up no attempt; then the engine. `reread` gives the
 * configuration of the same file and command line anew.
 * @throws HoldfastError CONFIG_INVALID, STORE_ codes of opening, ADDRESS_IN_USE, ADDRESS_UNUSABLE
 */
export async function startGateway(config: Config, outside: Outside, reread: () => Promise<Config>): Promise<Gateway> {
  const { clock, env } = outside
  checkSecrets(config, env)
  const version = packageVersion()
  const log = jsonLog(config.log.level, { write: (line) => void outside.stderr.write(line) })
  const models = modelNamesOf(config)
  const live = new LiveConfig(config, reread)
  const model = { run: await runnerOf(config, env, clock, log) }
  const run: Runner = (turn) => model.run(turn)
  const summarize = await summarizerOf(config, env, clock, log)
  const { host, port, tokenEnv, allowedHosts, bodyMax } = config.server
  const token = secretOf(env, tokenEnv)
  checkBinding(host, token !== null)
  const peerToken = config.store.url === null ? null : randomSecret()
  const directory = config.store.url === null ? null : await takeDirectory(config.data, clock)
  const socket = { path: '' }
  const { promise: app, resolve: setApp } = Promise.withResolvers<App>()
  const front: Pick<App, 'fetch'> = { fetch: async (...request) => (await app).fetch(...request) }
  const listeners: Listener[] = []
  const stopListening = () => Promise.all(listeners.map((listener) => listener.close(lastAnswersMs)))
  const open: OpenStore = async (input) => {
    const opened = await (await storeOf(config))(input)
    try {
      listeners.push(await listenOn(front, host, port))
      socket.path = prepareSocketPath(config.data)
      listeners.push(await listen(front, { socketPath: socket.path }))
      return opened
    } catch (error) {
      await opened.close()
      throw error
    }
  }
  const store = Object.assign(open, { directory: config.data })
  const metrics = createMetrics(version, clock)
  try {
    const telemetry = metrics.telemetry
    const settings = settingsOf(config)
    const holdfast = await openHoldfast({
      ...{ store, run, summarize, settings, archives: config.data, clock, telemetry, log, watch: true },
      followElsewhere: followPeers(),
    })
    const { advertise } = config.cluster
    const advertised = advertise === null ? [] : [new URL(advertise).hostname]
    const access = { host, token, peerToken, allowedHosts: [...allowedHosts, ...advertised] }
    const reload = () =>
      live.reload(holdfast, log, async (next) => {
        const renewed = await runnerOf(next, env, clock, log) // its patience with the model follows the limits of turns
        holdfast.reconfigure(settingsOf(next))
        model.run = renewed
      })
    setApp(
      createApp({
        ...{ holdfast, metrics, models, access, bodyMax, clock, log, version, reload },
        get onBusy() {
          return live.config.turns.onBusy
        },
      }),
    )
    const address = listeners[0]?.url ?? ''
    if (directory === null) writeOwnerAddress(config.data, { address, socket: socket.path })
    else directory.tell(holdfast.holder, { address, socket: socket.path })
    if (holdfast.store.shared) {
      const { id: holderId } = holdfast.holder
      await holdfast.store.announce({ holderId, address: advertise ?? address, token: peerToken })
    }
    const { name, demo, url } = models
    return {
      place: {
        version,
        pid: holdfast.holder.pid,
        address,
        socket: socket.path,
        data: config.data,
        store:
          config.store.url === null ? null : (await import('../../postgres/url.ts')).describeDatabase(config.store.url),
        config: config.file,
        model: { name, demo, url },
        tokenEnv,
      },
      config: () => live.config,
      reload,
      close: async (drainMs) => {
        await holdfast.close({ drainMs })
        await stopListening()
        directory?.leave()
        metrics.close()
      },
    }
  } catch (error) {
    await stopListening()
    metrics.close()
    throw error
  }
}

async function listenOn(front: Pick<App, 'fetch'>, host: string, port: number): Promise<Listener> {
  try {
    return await listen(front, { host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const because = `${host}:${port}${code === undefined ? '' : ` (${code})`}`
    if (code === 'EADDRINUSE')
      throw new HoldfastError('ADDRESS_IN_USE', { because: `${host}:${port}` }, { cause: error })
    if (code !== undefined && unusable.includes(code)) {
      throw new HoldfastError('ADDRESS_UNUSABLE', { because }, { cause: error })
    }
    throw error
  }
}

const unusable = ['EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL', 'EAFNOSUPPORT']
