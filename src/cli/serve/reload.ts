import { planReload } from '../../config/changes.ts'
import type { Config } from '../../config/read.ts'
import type { Holdfast } from '../../engine/holdfast.ts'
import type { Log } from '../../host/log.ts'
import type { Reloaded } from '../../http/deps.ts'
import { recordOf } from '../../model/errors.ts'

/** The configuration that a gateway goes by, and the one way to change it. */
export class LiveConfig {
  #config: Config
  readonly #read: () => Promise<Config>
  #underWay: Promise<unknown> = Promise.resolve()

  /** `read` gives what the file and the flags of the command line say now. */
  constructor(config: Config, read: () => Promise<Config>) {
    this.#config = config
    this.#read = read
  }

  get config(): Config {
    return this.#config
  }

  /**
   * What can hold at once does when this resolves; `apply` is called before. One after the other.
   * @throws HoldfastError CONFIG_INVALID and others of reading: nothing has changed
   */
  reload(holdfast: Holdfast, log: Log, apply: (config: Config) => Promise<void>): Promise<Reloaded> {
    const reloaded = this.#underWay.then(() => this.#reload(holdfast, log, apply))
    this.#underWay = reloaded.catch(() => {}) // its own caller hears of it
    return reloaded
  }

  async #reload({ events }: Holdfast, log: Log, apply: (config: Config) => Promise<void>): Promise<Reloaded> {
    try {
      const { config, applied, needsRestart } = planReload(this.#config, await this.#read())
      await apply(config)
      this.#config = config
      log.info({ applied, needsRestart }, 'the configuration was read again')
      events.publish({ type: 'config.reloaded', applied, needsRestart })
      return { applied, needsRestart }
    } catch (error) {
      const outcome = recordOf(error)
      log.error(outcome, 'the configuration was read again and is not used; what held goes on')
      events.publish({ type: 'config.refused', outcome })
      throw error
    }
  }
}
