import { createHash } from 'node:crypto'
import type { Line } from '../../../src/openclaw/files/lines.ts'

/** Rows as gateways of the file generation write them. */

const iso = '2026-11-21T06:00:00.000Z'

export const header = JSON.stringify({ type: 'session', version: 3, id: 's1', timestamp: iso, cwd: '/w' })

export const row = (type: string, id: string, parentId: string | null | undefined, more = {}) =>
  JSON.stringify({ type, id, parentId, timestamp: iso, ...more })

export const user = (id: string, parentId: string | null, text = id) =>
  row('message', id, parentId, { message: { role: 'user', content: [{ type: 'text', text }], timestamp: 1 } })

export const reply = (
  id: string,
  parentId: string | null,
  { text = 'hello', api = 'openai-completions', total = 7 } = {},
) =>
  row('message', id, parentId, {
    message: { role: 'assistant', content: [{ type: 'text', text }], api, usage: { totalTokens: total }, timestamp: 1 },
  })

export function file(...lines: (string | Buffer)[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')]))
}

/** The lines of a file, as they are read from disk. */
export function* linesOf(data: Buffer, lineBytesMax = 16 * 1024 ** 2): Generator<Line> {
  let number = 1
  for (let offset = 0; offset < data.length; number += 1) {
    const feed = data.indexOf(0x0a, offset)
    const end = feed === -1 ? data.length : feed
    const line = end - offset > lineBytesMax ? null : data.subarray(offset, end)
    yield { number, offset, bytes: end - offset, data: line, ended: feed !== -1 }
    offset = end + 1
  }
}

const texts = [
  'Guten Morgen! ☀️',
  '東京の天気',
  'Ёлка',
  'a "quoted" \\ text',
  '{"type":"message","id":"x"}',
  'zwei\nZeilen\t🙂',
  'x',
]

/** A conversation as one writer leaves it: of so many turns, with tool calls, second replies, labels and compactions in between. */
export function conversation(chance: () => number, turns: number, name = 's1'): string[] {
  const lines = [header.replace('s1', name)]
  let parent: string | null = null
  let count = 0
  const say = (make: (id: string, parentId: string | null) => string) => {
    count += 1
    const id = createHash('sha256').update(`${name} ${count} ${chance()}`).digest('hex').slice(0, 8)
    lines.push(make(id, parent))
    parent = id
  }
  const text = () =>
    `${texts[Math.floor(chance() * texts.length)]} ${Math.floor(chance() * 1e9)}`.repeat(1 + Math.floor(chance() * 4))
  say((id, parentId) => row('model_change', id, parentId, { provider: 'mock', modelId: 'm1' }))
  for (let turn = 0; turn < turns; turn += 1) {
    const question = text()
    say((id, parentId) => user(id, parentId, question))
    if (chance() < 0.2) {
      say((id, parentId) => {
        const content = [
          {
            type: 'toolCall',
            id: `call_${id}`,
            name: 'read',
            arguments: { path: '/x', entry: { type: 'a', id: 'b' } },
          },
        ]
        return row('message', id, parentId, { message: { role: 'assistant', content, usage: { totalTokens: 3 } } })
      })
      const result = {
        role: 'toolResult',
        toolCallId: 'c',
        toolName: 'read',
        content: [{ type: 'text', text: text() }],
        isError: false,
      }
      say((id, parentId) => row('message', id, parentId, { message: result }))
    }
    const answer = { text: text(), total: turn }
    say((id, parentId) => reply(id, parentId, answer))
    if (chance() < 0.3) say((id, parentId) => row('custom', id, parentId, { customType: 'bootstrap', data: { turn } }))
    if (chance() < 0.3)
      say((id, parentId) => reply(`${id}-uuid`, parentId, { ...answer, api: 'cli' }).replace(`${id}-uuid`, id))
    if (chance() < 0.05) {
      const kept: string | null = parent
      say((id, parentId) => row('compaction', id, parentId, { summary: 's', firstKeptEntryId: kept, tokensBefore: 1 }))
    }
  }
  return lines
}
