import { createServer, type ServerResponse } from 'node:http'

// An OpenAI-compatible model that answers at once, in a process of its own: `node instant-model.ts PORT`.

const reply = 'A short answer, always the same.'
const usage = { prompt_tokens: 10, completion_tokens: 8, total_tokens: 18 }

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = parts.length === 0 ? {} : JSON.parse(Buffer.concat(parts).toString('utf8'))
    if (body.stream === true) answerInPieces(response)
    else answerAtOnce(response)
  })
})

function answerAtOnce(response: ServerResponse): void {
  const message = { role: 'assistant', content: reply }
  const choices = [{ index: 0, message, finish_reason: 'stop' }]
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion', created: 0, model: 'instant', choices, usage }),
  )
}

function answerInPieces(response: ServerResponse): void {
  const chunk = (rest: object) =>
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model: 'instant', ...rest })}\n\n`
  const first = chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: reply } }] })
  const last = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(`${first}${last}data: [DONE]\n\n`)
}

server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2]), '127.0.0.1')
