import type { Seeded } from './seeded.ts'

export interface TranscriptPlan {
  sessionId: string
  cwd: string
  /** Of its last line. Unit: ms. */
  lastAtMs: number
  turns: number
  /** At least so many; the answers grow. */
  bytes: number
  /** false: the last question has no answer. */
  answered: boolean
  /** Each answer stands in it twice. */
  doubled: boolean
  seeded: Seeded
}

const words = 'Grüße aus Øresund, café, 東京, 🙂 and a plain line of text that fills the page. '

/** JSONL as a gateway of 2026.5 writes it: a header, what leads up to the first message, then question and answer, each line the parent of the next. */
export function transcriptText(plan: TranscriptPlan): string {
  const { sessionId, lastAtMs, seeded, turns } = plan
  const startMs = lastAtMs - (turns * 2 + 3) * 1_000
  const lines = [line({ type: 'session', version: 3, id: sessionId, timestamp: iso(startMs), cwd: plan.cwd })]
  let parentId: string | null = null
  let atMs = startMs
  const add = (fields: Record<string, unknown>, id = seeded.hex(8)): void => {
    atMs = Math.min(atMs + 1_000, lastAtMs)
    lines.push(line({ type: fields.type, id, parentId, timestamp: iso(atMs), ...fields }))
    parentId = id
  }
  add({ type: 'model_change', provider: 'mock', modelId: 'm1' })
  add({ type: 'thinking_level_change', thinkingLevel: 'off' })
  const filling = fillingOf(plan)
  for (let turn = 1; turn <= turns; turn += 1) {
    add({
      type: 'message',
      message: { role: 'user', content: [{ type: 'text', text: `question ${turn}` }], timestamp: atMs },
    })
    if (turn === turns && !plan.answered) break
    const answer = { content: [{ type: 'text', text: `answer ${turn} ${filling}` }], usage: usageOf(turn) }
    const told = { role: 'assistant', ...answer, provider: 'mock', model: 'm1', stopReason: 'stop', timestamp: atMs }
    add({ type: 'message', message: { ...told, api: 'openai-completions', responseId: `r${turn}` } })
    if (plan.doubled) add({ type: 'message', message: { ...told, api: 'cli' } }, seeded.uuid())
  }
  return `${lines.join('\n')}\n`
}

const line = (fields: object): string => JSON.stringify(fields)
const iso = (ms: number): string => new Date(ms).toISOString()

function fillingOf({ bytes, turns }: TranscriptPlan): string {
  const each = Math.ceil(bytes / Math.max(1, turns))
  return words.repeat(Math.ceil(each / Buffer.byteLength(words)))
}

function usageOf(turn: number): object {
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, total: 0 }
  return { input: 7_000 + turn, output: 20, cacheRead: 0, cacheWrite: 0, totalTokens: 7_020 + turn, cost }
}
