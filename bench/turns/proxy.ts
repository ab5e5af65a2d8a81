import { Agent, createServer, request } from 'node:http'

// What any gateway has to do at least: `node proxy.ts PORT MODEL_PORT` passes everything on, keeps nothing.

const [port, modelPort] = process.argv.slice(2).map(Number)
const connections = new Agent({ keepAlive: true })

const server = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming
  const asked = request(
    { host: '127.0.0.1', port: modelPort, agent: connections, method, path: url, headers },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    },
  )
  asked.on('error', () => outgoing.destroy())
  incoming.pipe(asked)
})

server.keepAliveTimeout = 60_000
server.listen(port, '127.0.0.1')
