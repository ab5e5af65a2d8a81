import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Message, textOf } from '../../../src/model/messages.ts'
import { answerTo } from './history.ts'

/** What one request is answered with. */
export type Answer =
  | { kind: 'answer'; text: string; afterMs?: number }
  | { kind: 'pieces'; pieces: string[]; everyMs: number }
  /** Accepts and never answers. */
  | { kind: 'hang' }
  /** Begins to answer and never goes on. */
  | { kind: 'hang midway'; pieces: string[] }
  /** Begins to answer and drops the connection. */
  | { kind: 'break midway'; pieces: string[] }
  | { kind: 'status'; status: number; message: string }
  | { kind: 'garbage' }
  | { kind: 'empty' }

export type Behaviour = (asked: Asked) => Answer | Promise<Answer>

/** A request as the model server saw it. */
export interface Asked {
  /** From 1, in the order of arrival. */
  number: number
  model: string
  messages: Message[]
  /** Whose newest mark it holds; null without one. */
  session: string | null
  stream: boolean
  body: Record<string, unknown>
  state: 'open' | 'answered' | 'left'
}

/** The model that turns are sent to, and the one that summaries are asked from. */
export const turnModel = 'turn-model'
export const summaryModel = 'summary-model'

export interface ModelServer extends AsyncDisposable {
  readonly url: string
  /** May be replaced at any time; counts from the next request on. */
  turns: Behaviour
  summaries: Behaviour
  /** Counts before these two, for requests with the marks of one session. */
  readonly of: Map<string, Partial<Pick<ModelServer, 'turns' | 'summaries'>>>
  readonly asked: Asked[]
  askedFor(model: string, session?: string): Asked[]
}

/** Answers the newest mark that it was shown. */
export const echo: Behaviour = ({ messages }) => ({ kind: 'answer', text: echoOf(messages) })

/** The same, not at once. */
export const echoAfter =
  (delayMs: () => number): Behaviour =>
  ({ messages }) => ({ kind: 'answer', text: echoOf(messages), afterMs: delayMs() })

function echoOf(messages: readonly Message[]): string {
  const asking = messages.findLast(({ role }) => role === 'user')
  const said = asking === undefined ? '' : textOf(asking)
  return answerTo(lastMarkIn(said) ?? said.slice(0, 40))
}

const lastMarkIn = (text: string): string | null => text.match(/mark-[a-z0-9]+-\d+/g)?.at(-1) ?? null

export const always =
  (answer: Answer): Behaviour =>
  () =>
    answer

/** A real server with the shape of OpenAI's chat completions. */
export async function startModel(turns: Behaviour = echo, summaries: Behaviour = shortSummary): Promise<ModelServer> {
  const asked: Asked[] = []
  const server = createServer((request, response) => void serve(request, response))
  await once(server.listen(0, '127.0.0.1'), 'listening')

  const model: ModelServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    turns,
    summaries,
    of: new Map(),
    asked,
    askedFor: (name, session) =>
      asked.filter((each) => each.model === name && (session === undefined || each.session === session)),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return void response.writeHead(200, jsonType).end('{"object":"list","data":[]}')
    const body = (await json(request)) as Record<string, unknown>
    const each: Asked = {
      number: asked.length + 1,
      model: String(body.model),
      messages: body.messages as Message[],
      session: lastMarkIn(JSON.stringify(body.messages))?.split('-')[1] ?? null,
      stream: body.stream === true,
      body,
      state: 'open',
    }
    asked.push(each)
    response.on('close', () => {
      each.state = response.writableFinished ? 'answered' : 'left'
    })
    const kind = each.model === summaryModel ? 'summaries' : 'turns'
    const behaviour = model.of.get(each.session ?? '')?.[kind] ?? model[kind]
    await give(await behaviour(each), each, response)
  }

  return model
}

const shortSummary: Behaviour = ({ number }) => ({ kind: 'answer', text: `summary-${number}: all is well.` })

const jsonType = { 'content-type': 'application/json' }
const streamType = { 'content-type': 'text/event-stream' }

async function give(answer: Answer, asked: Asked, response: ServerResponse): Promise<void> {
  switch (answer.kind) {
    case 'answer':
      if (answer.afterMs !== undefined) await sleep(answer.afterMs)
      return givePieces([answer.text], 0, asked, response)
    case 'pieces':
      return givePieces(answer.pieces, answer.everyMs, asked, response)
    case 'empty':
      return givePieces([], 0, asked, response)
    case 'hang':
      return
    case 'hang midway':
      return begin(answer.pieces, asked, response)
    case 'break midway':
      begin(answer.pieces, asked, response)
      await sleep(20)
      response.destroy()
      return
    case 'status': {
      const error = { message: answer.message, type: 'server_error', code: null, param: null }
      response.writeHead(answer.status, jsonType).end(JSON.stringify({ error }))
      return
    }
    case 'garbage':
      response.writeHead(200, asked.stream ? streamType : jsonType).end(asked.stream ? 'data: {"id":\n\n' : '{"id":')
  }
}

function begin(pieces: string[], asked: Asked, response: ServerResponse): void {
  response.writeHead(200, streamType)
  for (const piece of pieces) response.write(chunk(asked, { content: piece }, null))
}

async function givePieces(pieces: string[], everyMs: number, asked: Asked, response: ServerResponse): Promise<void> {
  const promptTokens = Math.ceil(JSON.stringify(asked.messages).length / 4)
  const usage = { prompt_tokens: promptTokens, completion_tokens: 8, total_tokens: promptTokens + 8 }
  if (!asked.stream) {
    await sleep(everyMs * pieces.length)
    const message = { role: 'assistant', content: pieces.join('') }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    response.writeHead(200, jsonType).end(JSON.stringify({ ...envelope(asked, 'chat.completion'), choices, usage }))
    return
  }
  response.writeHead(200, streamType)
  response.write(chunk(asked, { role: 'assistant' }, null))
  for (const piece of pieces) {
    if (everyMs > 0) await sleep(everyMs)
    response.write(chunk(asked, { content: piece }, null))
  }
  response.write(chunk(asked, {}, 'stop'))
  response.write(`data: ${JSON.stringify({ ...envelope(asked, 'chat.completion.chunk'), choices: [], usage })}\n\n`)
  response.end('data: [DONE]\n\n')
}

function chunk(asked: Asked, delta: object, finishReason: string | null): string {
  const choices = [{ index: 0, delta, finish_reason: finishReason }]
  return `data: ${JSON.stringify({ ...envelope(asked, 'chat.completion.chunk'), choices })}\n\n`
}

const envelope = (asked: Asked, object: string) => ({
  id: `ask-${asked.number}`,
  object,
  created: 0,
  model: asked.model,
})
