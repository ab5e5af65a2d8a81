import { EventSourceParserStream } from 'eventsource-parser/stream'
import { type ErrorCode, type ErrorFacts, errorCatalog, HoldfastError } from '../../model/errors.ts'
import type { SessionKey } from '../../model/keys.ts'
import { type Fetch, localOrigin } from './fetch.ts'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** One event of a stream: its `data` as parsed JSON. */
export interface StreamEvent {
  id: string | undefined
  event: string | undefined
  data: unknown
}

export interface Reached {
  via: Via
  fetch: Fetch
  origin?: string
  headers?: Record<string, string>
  release?: () => Promise<void>
}

export interface EventStream {
  headers: Headers
  events: AsyncIterable<StreamEvent>
}

/** Who answers: a running gateway, this process from the store, or this process beside a gateway that is silent. */
export type Via = 'gateway' | 'store' | 'beside a silent gateway'

/** The HTTP API as commands use it. Errors of the gateway come out as the HoldfastError they were there. */
export class Api implements AsyncDisposable {
  readonly via: Via
  readonly #fetch: Fetch
  readonly #origin: string
  readonly #headers: Record<string, string>
  readonly #release: () => Promise<void>

  constructor(reached: Reached) {
    this.via = reached.via
    this.#fetch = reached.fetch
    this.#origin = reached.origin ?? localOrigin
    this.#headers = reached.headers ?? {}
    this.#release = reached.release ?? (async () => {})
  }

  /**
   * The answer's JSON.
   * @throws HoldfastError what the gateway answered; GATEWAY_UNREACHABLE when nothing or something else answers
   */
  async call<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const response = await this.#send(method, path, body, signal)
    return (await jsonOf(response)) as T
  }

  /** What was sent as the event `error` is thrown where the events are read. @throws as `call` */
  async stream(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<EventStream> {
    const response = await this.#send(method, path, body, signal)
    return { headers: response.headers, events: eventsOf(response) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#release()
  }

  async #send(method: Method, path: string, body: unknown, signal: AbortSignal | undefined): Promise<Response> {
    const headers = body === undefined ? this.#headers : { ...this.#headers, 'content-type': 'application/json' }
    const init: RequestInit = { method, headers }
    if (body !== undefined) init.body = JSON.stringify(body)
    if (signal !== undefined) init.signal = signal
    const response = await this.#fetch(new Request(this.#origin + path, init)).catch((error: unknown) => {
      throw signal?.aborted === true ? error : unreachable(error)
    })
    if (!response.ok) throw errorOfAnswer(await jsonOf(response), response.status)
    return response
  }
}

/** Where a session is in the API. */
export function sessionPath(key: SessionKey, rest = ''): string {
  return `/v1/sessions/${encodeURIComponent(key)}${rest}`
}

/** `?a=1&b=2` of what is given; nothing of what is not. */
export function queryOf(given: Record<string, string | number | boolean | undefined>): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) if (value !== undefined) params.set(name, String(value))
  return params.size === 0 ? '' : `?${params}`
}

async function* eventsOf(response: Response): AsyncGenerator<StreamEvent> {
  if (response.body === null) return
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  for await (const { id, event, data } of events) {
    const parsed: unknown = JSON.parse(data)
    if (event === 'error') throw errorOfAnswer(parsed, response.status)
    yield { id, event, data: parsed }
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new HoldfastError('GATEWAY_UNREACHABLE', {
      because: `what answers there is not Holdfast (status ${response.status}, no JSON)`,
    })
  }
}

/** No connection, as `node:http` says it (an error with a code), or as `fetch` does (a TypeError with a cause). */
function unreachable(error: unknown): unknown {
  const cause = error instanceof TypeError && error.cause instanceof Error ? error.cause : error
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === undefined && cause === error) return error
  return new HoldfastError('GATEWAY_UNREACHABLE', { because: code ?? message }, { cause: error })
}

/** Two codes travel under the names that OpenAI's clients know. */
const codesOfOpenAi: Record<string, ErrorCode> = {
  context_length_exceeded: 'CONTEXT_TOO_LARGE',
  model_not_found: 'MODEL_UNKNOWN',
}

function errorOfAnswer(answer: unknown, status: number): HoldfastError {
  const { code, message, facts, retry_after_ms } = ((answer as { error?: unknown }).error ?? {}) as {
    code?: string
    message?: string
    facts?: ErrorFacts
    retry_after_ms?: number | null
  }
  const known = codesOfOpenAi[code ?? ''] ?? code ?? ''
  if (!Object.hasOwn(errorCatalog, known)) {
    const because = message ?? `what answers there is not Holdfast (status ${status})`
    return new HoldfastError(code === undefined ? 'GATEWAY_UNREACHABLE' : 'INTERNAL', { because })
  }
  const options = typeof retry_after_ms === 'number' ? { retryAfterMs: retry_after_ms } : {}
  return new HoldfastError(known as ErrorCode, facts ?? {}, options)
}
