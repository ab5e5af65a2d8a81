import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll } from 'vitest'

export interface Asked {
  atMs: number
  /** `role: text` of each message, the system's left out. */
  shown: string[]
}

/** An OpenAI-compatible model that answers with the last thing it was told, and remembers all that it was shown. */
export class RememberingModel {
  readonly asked: Asked[] = []
  /** How long an answer takes. Unit: ms. */
  delayMs = 0
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const body = parts.length === 0 ? {} : JSON.parse(Buffer.concat(parts).toString('utf8'))
        const shown = shownIn(body.messages ?? [])
        this.asked.push({ atMs: Date.now(), shown })
        const text = `ack: ${(shown.findLast(isSaid) ?? 'user: ').slice(6).slice(-200)}`
        setTimeout(() => {
          if (response.destroyed) return
          if (body.stream === true) {
            const chunk = (rest: object) =>
              `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'm', ...rest })}\n\n`
            response.writeHead(200, { 'content-type': 'text/event-stream' })
            response.write(chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: text } }] }))
            const end = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage }
            response.end(`${chunk(end)}data: [DONE]\n\n`)
            return
          }
          const choices = [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }]
          response.writeHead(200, { 'content-type': 'application/json' })
          response.end(JSON.stringify({ id: 'c', object: 'chat.completion', created: 0, model: 'm', choices, usage }))
        }, this.delayMs)
      })
    })
  }

  /** One for all tests of a file: it listens while they run, and answers at once again after each. */
  static ofFile(): RememberingModel {
    const model = new RememberingModel()
    beforeAll(
      () =>
        new Promise<void>((resolve) => {
          model.#server.listen(0, '127.0.0.1', resolve)
        }),
    )
    afterEach(() => {
      model.delayMs = 0
    })
    afterAll(() => model.#close())
    return model
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  async #close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => {
      this.#server.close(resolve)
    })
  }
}

const usage = { prompt_tokens: 10, completion_tokens: 8, total_tokens: 18 }

/** Newer releases add a message of their own after what was said. */
const isSaid = (line: string) =>
  line.startsWith('user: ') && !line.startsWith('user: <<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>')

function shownIn(messages: { role: string; content: unknown }[]): string[] {
  return messages
    .filter(({ role }) => role !== 'system' && role !== 'developer')
    .map(({ role, content }) => `${role}: ${textOf(content)}`)
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: string }) => part.text ?? '').join('')
}
