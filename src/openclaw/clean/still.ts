import type { Clock } from '../../host/clock.ts'
import type { GatewayFacts } from '../gateway/running.ts'

/** A process that begins or ends while it is looked at cannot be told from a gateway; a moment later it can. */
const triesMax = 5
const waitMs = 40

/** Why an index may not be written now although no gateway ran a moment ago; null: none runs. */
export async function startedMeanwhile(gatewayNow: () => Promise<GatewayFacts>, clock: Clock): Promise<string | null> {
  for (let tries = 1; ; tries += 1) {
    const gateway = await gatewayNow()
    if (gateway.state === 'stopped') return null
    if (gateway.state === 'running') return 'a gateway has started meanwhile'
    if (tries === triesMax) return `it cannot be told any more whether a gateway runs (${gateway.because})`
    await clock.sleep(waitMs)
  }
}
