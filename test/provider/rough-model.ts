import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { AnswerDelta } from '../../src/engine/runner.ts'

export interface Request {
  headers: IncomingMessage['headers']
  body: Record<string, unknown>
}
export type Behaviour = (response: ServerResponse, request: Request) => void

/** A model server that does what the test says, call by call; the last behaviour goes on. */
export class RoughModel {
  behaviours: Behaviour[] = []
  baseUrl = ''
  readonly requests: Request[] = []
  /** Calls that the client gave up. */
  closedEarly = 0
  readonly #server: Server

  private constructor() {
    this.#server = createServer((incoming, response) => {
      const pieces: Buffer[] = []
      incoming.on('data', (piece: Buffer) => pieces.push(piece))
      incoming.on('end', () => {
        const request = { headers: incoming.headers, body: JSON.parse(Buffer.concat(pieces).toString()) }
        this.requests.push(request)
        response.on('close', () => {
          if (!response.writableFinished) this.closedEarly += 1
        })
        const behave = this.behaviours.length > 1 ? this.behaviours.shift() : this.behaviours[0]
        behave?.(response, request)
      })
    })
  }

  static async open(): Promise<RoughModel> {
    const model = new RoughModel()
    await new Promise<void>((resolve) => {
      model.#server.listen(0, '127.0.0.1', resolve)
    })
    model.baseUrl = `http://127.0.0.1:${(model.#server.address() as AddressInfo).port}/v1`
    onTestFinished(() => model.close())
    return model
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => {
      this.#server.close(resolve)
    })
  }
}

export const chunk = (delta: AnswerDelta, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
export const usageChunk = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 } })}\n\n`
export const done = 'data: [DONE]\n\n'
export const begin = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })

export const answers =
  (...words: string[]): Behaviour =>
  (response) => {
    begin(response)
    response.write(chunk({ role: 'assistant', content: '' }))
    for (const content of words) response.write(chunk({ content }))
    response.end(chunk({}, 'stop') + usageChunk + done)
  }
export const fails =
  (status: number, error: object, headers: Record<string, string> = {}): Behaviour =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ error }))
  }
export const sends =
  (...pieces: string[]): Behaviour =>
  (response) => {
    begin(response).end(pieces.join(''))
  }
export const breaksAfter =
  (...pieces: string[]): Behaviour =>
  (response) => {
    begin(response).write(pieces.join(''), () => response.destroy())
  }
export const hangs: Behaviour = () => {}
