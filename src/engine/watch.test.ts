import { expect, it } from 'vitest'
import { HoldfastError } from '../model/errors.ts'
import { ManualClock } from '../testing/clock.ts'
import { silentTelemetry } from './telemetry.ts'
import { Watch } from './watch.ts'

const failure = new HoldfastError('STORE_IO')
const newWatch = () => {
  const clock = new ManualClock()
  return { clock, watch: new Watch(clock, silentTelemetry, () => {}) }
}

it('shows a failure of work that is not tried again for a minute, so that one mishap never keeps a gateway out of service', async () => {
  const { clock, watch } = newWatch()
  watch.troubleOnce('turn', failure)
  await clock.advance(59_999)
  expect(watch.because?.code).toBe('STORE_IO')
  await clock.advance(1)
  expect(watch.because).toBeNull()
})

it('shows a loop that goes on failing until it has succeeded', async () => {
  const { clock, watch } = newWatch()
  watch.trouble('dispatch', failure)
  await clock.advance(86_400_000)
  expect(watch.because?.code).toBe('STORE_IO')
  watch.fine('dispatch')
  expect(watch.because).toBeNull()
})
