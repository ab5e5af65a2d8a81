import type { CommandLimits, RunCommand } from '../../host/commands.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { Alert } from './alerts.ts'

/** Where alerts go besides the log. */
export interface Receivers {
  /** Gets a POST with the alert as JSON. */
  webhook: string | null
  /** Run with the alert as JSON in `HOLDFAST_ALERT`; its words, without a shell. */
  command: string[] | null
}

/** Whoever receives alerts is not waited for longer: the locks are looked at meanwhile by nobody. Unit: ms. */
const timeLimitMs = 10_000

/**
 * Tells all receivers, also when one of them fails. Nothing that people wrote is in an alert; paths and session keys' files are.
 * @throws HoldfastError ALERT_FAILED afterwards, with what the first failure was
 */
export async function tellReceivers(
  alert: Alert,
  { webhook, command }: Receivers,
  run: RunCommand,
  place: Pick<CommandLimits, 'env' | 'cwd'>,
): Promise<void> {
  const text = JSON.stringify({ ...alert, since: new Date(alert.sinceMs).toISOString() })
  const ended = await Promise.allSettled([
    ...(webhook === null ? [] : [post(webhook, text)]),
    ...(command === null ? [] : [execute(command, text, run, place)]),
  ])
  const failed = ended.find((each) => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

async function post(url: string, body: string): Promise<void> {
  const { origin } = new URL(url) // the path may hold a secret
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeLimitMs),
    })
    await response.body?.cancel()
    if (!response.ok) throw new HoldfastError('ALERT_FAILED', { because: `${origin} answered ${response.status}` })
  } catch (error) {
    if (error instanceof HoldfastError) throw error
    throw new HoldfastError('ALERT_FAILED', { because: `${origin} cannot be reached` }, { cause: error })
  }
}

async function execute(
  words: string[],
  text: string,
  run: RunCommand,
  { env, cwd }: Pick<CommandLimits, 'env' | 'cwd'>,
): Promise<void> {
  const [file = '', ...args] = words
  const limits = { timeLimitMs, outputBytesMax: 4_096, env: { ...env, HOLDFAST_ALERT: text }, cwd }
  const { code, timedOut } = await run(file, args, limits)
  if (code === 0) return
  const because = timedOut ? `${file} did not end in time` : `${file} ended with ${code ?? 'a signal'}`
  throw new HoldfastError('ALERT_FAILED', { because })
}
