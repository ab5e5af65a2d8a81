import { countMessage } from '../../src/compaction/meter.ts'
import type { Entry, EntryKind } from '../../src/model/entries.ts'
import type { Message } from '../../src/model/messages.ts'
import type { ContextSource } from '../../src/store/entries.ts'

export const call = (...ids: string[]): Message => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } })),
})
export const result = (id: string): Message => ({ role: 'tool', tool_call_id: id, content: `result ${id}` })
export const user = (content: string): Message => ({ role: 'user', content })
export const answer = (content: string): Message => ({ role: 'assistant', content })

function entriesOf(messages: readonly (Message | 'event')[]): Entry[] {
  return messages.map((message, index): Entry => {
    const event = message === 'event'
    const kind: EntryKind = event ? 'event' : message.role === 'developer' ? 'system' : message.role
    const body = event ? { code: 'TURN_TIME_LIMIT', text: 'It ended.' } : message
    const tokens = event ? 0 : countMessage(message)
    return { seq: index + 1, id: `e${index}`, parentId: null, turnId: null, attempt: 1, kind, body, tokens, atMs: 0 }
  })
}

export function sourceOf(messages: readonly (Message | 'event')[], rest: Partial<ContextSource> = {}): ContextSource {
  const entries = entriesOf(messages)
  return {
    transcript: 1,
    head: entries.length,
    summary: null,
    entries,
    olderCount: 0,
    olderTokens: 0,
    meterRatio: 1,
    ...rest,
  }
}

export function summaryOf(text: string): ContextSource['summary'] {
  const numbers = { id: 1, transcript: 1, uptoSeq: 0, tokens: 10, replacedTokens: 99, atMs: 0 }
  return { ...numbers, baseId: null, kind: 'model', text, undoneAtMs: null }
}

/** What a strict provider checks: each result right after the calls that ask for it, each call with one result. */
export function faultsOf(messages: readonly Message[]): string[] {
  const faults: string[] = []
  let open = new Set<string>()
  for (const message of messages) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id)) faults.push(`result ${message.tool_call_id} without its call`)
      continue
    }
    for (const id of open) faults.push(`call ${id} without a result`)
    const calls = message.role === 'assistant' ? (message.tool_calls ?? []) : []
    if (message.role === 'assistant' && message.tool_calls?.length === 0) faults.push('empty list of calls')
    open = new Set((calls as { id: string }[]).map((one) => one.id))
  }
  for (const id of open) faults.push(`call ${id} without a result`)
  return faults
}
