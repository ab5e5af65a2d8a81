import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { timeTogether } from '../measure.ts'

// The child of `OpenClawAppend`: drives the installed package through its public plugin SDK, without a gateway.

const folder = process.argv[2] as string
const find = createRequire(join(folder, 'package.json'))
const load = (name: string) => import(pathToFileURL(find.resolve(`openclaw/plugin-sdk/${name}`)).href)
const transcripts = await load('session-transcript-runtime')
const index = await load('session-store-runtime')
const storePath: string = index.resolveStorePath(undefined, { agentId: 'main' })

async function openSession(number: number) {
  const identity = {
    agentId: 'main',
    sessionId: randomUUID(),
    sessionKey: `agent:main:channel:bench-${number}`,
    storePath,
  }
  await index.upsertSessionEntry({ ...identity, entry: { sessionId: identity.sessionId, updatedAt: Date.now() } })
  return identity
}

const opened: Awaited<ReturnType<typeof openSession>>[] = []

process.on('message', (input: { sessions: number; count: number; bytes: number }) => {
  void serve(input)
})

async function serve({ sessions, count, bytes }: { sessions: number; count: number; bytes: number }): Promise<void> {
  while (opened.length < sessions) opened.push(await openSession(opened.length))
  const round = await timeTogether(sessions, count, (session, at) => {
    const role = at % 2 === 0 ? 'user' : 'assistant'
    const message = { role, content: [{ type: 'text', text: 'x'.repeat(bytes) }], timestamp: Date.now() }
    return transcripts.appendSessionTranscriptMessageByIdentity({ ...opened[session], message })
  })
  process.send?.(round)
}
