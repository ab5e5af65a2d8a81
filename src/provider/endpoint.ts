import OpenAI from 'openai'
import type { Clock } from '../host/clock.ts'
import type { Log } from '../host/log.ts'
import type { RetryLimits } from './retry.ts'

/** An OpenAI-compatible server and how long and how often it is asked. */
export interface EndpointOptions {
  /** With the version: `http://127.0.0.1:11434/v1`. */
  baseUrl: string
  model: string
  /** Null: the server needs none. */
  apiKey: string | null
  retry?: Partial<RetryLimits>
  /** Without a byte from the server, a call is given up; less than the turn's stall limit, so that a retry is possible. */
  quietLimitMs?: number
  clock: Clock
  log: Log
}

export interface Endpoint {
  client: OpenAI
  model: string
  retry: RetryLimits
  quietLimitMs: number
  clock: Clock
  log: Log
  /** Cleared when the server does not know the option that asks for token counts. */
  asksForUsage: boolean
}

const defaultRetry: RetryLimits = {
  attemptsMax: 4, // a restart of a model server takes some seconds, a rate limit up to a minute
  budgetMs: 5 * 60_000, // half of a turn's default limit: the last call needs time too
  backoffMs: { first: 1_000, max: 30_000 },
}
/** Less than the default stall limit of a turn (120 s). */
const defaultQuietLimitMs = 100_000

/** Headers by which the package tells the server about this machine. */
const machineHeaders = ['OS', 'Arch', 'Lang', 'Runtime', 'Runtime-Version', 'Package-Version', 'Timeout', 'Retry-Count']

/** What the package would read from the environment (organisation, project, log level) is set here, so that nothing is. */
export function openEndpoint(options: EndpointOptions): Endpoint {
  const client = new OpenAI({
    baseURL: options.baseUrl,
    // The package insists on one; servers without keys ignore it.
    apiKey: options.apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: 2 ** 31 - 1, // the quiet limit is ours
    logLevel: 'off', // it would write to the console
    defaultHeaders: {
      'User-Agent': 'holdfast',
      ...(options.apiKey === null ? { Authorization: null } : {}),
      ...Object.fromEntries(machineHeaders.map((name) => [`X-Stainless-${name}`, null])),
    },
  })
  return {
    client,
    model: options.model,
    retry: { ...defaultRetry, ...options.retry },
    quietLimitMs: options.quietLimitMs ?? defaultQuietLimitMs,
    clock: options.clock,
    log: options.log,
    asksForUsage: true,
  }
}
