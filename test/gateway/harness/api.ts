import type { Entry } from '../../../src/model/entries.ts'
import type { Session, Summary } from '../../../src/model/sessions.ts'
import type { Turn } from '../../../src/model/turns.ts'
import { parseMetrics, type Sample } from './metrics.ts'

export interface Reply<Body = unknown> {
  status: number
  headers: Headers
  body: Body
}

/** The parts of an error that tests look at. */
export interface ErrorBody {
  error: {
    message: string
    code: string
    fix?: string
    facts?: Record<string, unknown>
    retry_after_ms?: number | null
  }
}

export interface ChatBody {
  choices: { message: { content: string }; finish_reason: string }[]
}

interface SendOptions {
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** The gateway's HTTP API, as a client without any library sees it. */
export class Api {
  readonly url: string
  readonly #token: string | null

  constructor(url: string, token: string | null = null) {
    this.url = url
    this.#token = token
  }

  async get<Body>(path: string): Promise<Body> {
    const { status, body } = await this.send<Body>('GET', path)
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${JSON.stringify(body)}`)
    return body
  }

  async post<Body>(path: string, input: unknown = {}, options: SendOptions = {}): Promise<Reply<Body>> {
    return this.send<Body>('POST', path, input, options)
  }

  async send<Body>(method: string, path: string, input?: unknown, options: SendOptions = {}): Promise<Reply<Body>> {
    const response = await this.open(method, path, input, options)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: (text === '' ? null : JSON.parse(text)) as Body }
  }

  async open(method: string, path: string, input?: unknown, options: SendOptions = {}): Promise<Response> {
    const body = input === undefined ? null : typeof input === 'string' ? input : JSON.stringify(input)
    const headers = {
      'content-type': 'application/json',
      ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
      ...options.headers,
    }
    return fetch(`${this.url}${path}`, { method, headers, body, signal: options.signal ?? null })
  }

  chat(session: string, text: string, options: ChatOptions = {}): Promise<Reply<ChatBody & ErrorBody>> {
    return this.post('/v1/chat/completions', chatInput(text), chatOptions(session, options))
  }

  /** Reads the stream to its end. `text` is null when it ended without the closing mark, or with an error. */
  async chatStream(session: string, text: string, options: ChatOptions & { onOpen?: (opened: Response) => void } = {}) {
    const input = { ...chatInput(text), stream: true }
    const response = await this.open('POST', '/v1/chat/completions', input, chatOptions(session, options))
    if (response.status !== 200) {
      return {
        status: response.status,
        headers: response.headers,
        text: null,
        error: ((await response.json()) as ErrorBody).error,
      }
    }
    options.onOpen?.(response)
    let said = ''
    let finished = false
    let error: ErrorBody['error'] | null = null
    for await (const data of serverSentData(response)) {
      if (data === '[DONE]') finished = true
      else {
        const part = JSON.parse(data) as { choices?: { delta: { content?: string } }[] } & Partial<ErrorBody>
        if (part.error !== undefined) error = part.error
        said += part.choices?.[0]?.delta.content ?? ''
      }
    }
    return { status: 200, headers: response.headers, text: finished && error === null ? said : null, error }
  }

  turn(
    session: string,
    text: string,
    more: Record<string, unknown> = {},
    options: SendOptions = {},
  ): Promise<Reply<{ turn: Turn } & ErrorBody>> {
    return this.post(`/v1/sessions/${keyOf(session)}/turns`, { text, ...more }, options)
  }

  session(session: string): Promise<Session> {
    return this.get(`/v1/sessions/${keyOf(session)}`)
  }

  /** Every entry after `after`, oldest first. */
  async entries(session: string, after = 0): Promise<Entry[]> {
    const found: Entry[] = []
    for (let next: number | null = after; next !== null; ) {
      const page: { entries: Entry[]; next: number | null } = await this.get(
        `/v1/sessions/${keyOf(session)}/entries?order=oldest&limit=200${next === 0 ? '' : `&after=${next}`}`,
      )
      found.push(...page.entries)
      next = page.next
    }
    return found
  }

  async summaries(session: string): Promise<Summary[]> {
    const { items } = await this.get<{ items: Summary[] }>(`/v1/sessions/${keyOf(session)}/summaries`)
    return items
  }

  async turns(query: string): Promise<Turn[]> {
    const found: Turn[] = []
    for (let after: string | null = ''; after !== null; ) {
      const cursor = after === '' ? '' : `&after=${encodeURIComponent(after)}`
      const page: { items: Turn[]; next: string | null } = await this.get(
        `/v1/turns?order=oldest&limit=200&${query}${cursor}`,
      )
      found.push(...page.items)
      after = page.next
    }
    return found
  }

  async metrics(): Promise<Sample[]> {
    return parseMetrics(await (await this.open('GET', '/metrics')).text())
  }
}

export interface ChatOptions extends SendOptions {
  idempotencyKey?: string
}

/** Every test's session is a direct conversation of the main agent. */
export const keyOf = (session: string): string => `agent:main:direct:${session}`

const chatInput = (text: string) => ({ model: 'holdfast', messages: [{ role: 'user', content: text }] })

function chatOptions(session: string, { idempotencyKey, headers, signal }: ChatOptions): SendOptions {
  return {
    headers: {
      'x-session-key': keyOf(session),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      ...headers,
    },
    ...(signal === undefined ? {} : { signal }),
  }
}

/** The `data` of each event of a text/event-stream. */
async function* serverSentData(response: Response): AsyncGenerator<string> {
  if (response.body === null) return
  let pending = ''
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (pending + text).split('\n\n')
    pending = events.pop() ?? ''
    for (const event of events) {
      const data = event.split('\n').flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trimStart()] : []))
      if (data.length > 0) yield data.join('\n')
    }
  }
}
