import { factsOfKey } from '../../home/keys.ts'
import { isRecord, parsedJson } from '../text/json.ts'

/** What a gateway has written down, outside of its index, on which session a key had. */
export interface Named {
  key: string
  sessionId: string
}

/**
 * Of a trajectory, `<transcript>.trajectory.jsonl`: each event names key and session. `lines` are whole ones, of its end where it is long; the
 * last that tells counts.
 */
export function namedByTrajectory(lines: readonly string[], agentId: string): Named | null {
  for (const line of lines.toReversed()) {
    const event = parsedJson(line)
    if (!isRecord(event) || event.traceSchema !== 'openclaw-trajectory') continue
    const named = namedBy(event, agentId)
    if (named !== null) return named
  }
  return null
}

/**
 * Of a job's log, `cron/runs/<job>.jsonl`: one line for each run that has ended, with a session of its own, `…:cron:<job>:run:<id>`. What stands in
 * an index is the job, with the session of its last run.
 */
export function namedByRun(line: string, agentId: string): Named | null {
  const run = parsedJson(line)
  const named = isRecord(run) && run.action === 'finished' ? namedBy(run, agentId) : null
  return named === null ? null : { ...named, key: named.key.replace(/(:cron:[^:]+):run:[^:]+$/, '$1') }
}

function namedBy({ sessionKey, sessionId }: Record<string, unknown>, agentId: string): Named | null {
  if (typeof sessionKey !== 'string' || typeof sessionId !== 'string') return null
  return isOf(sessionKey, agentId) ? { key: sessionKey, sessionId } : null
}

function isOf(key: string, agentId: string): boolean {
  return factsOfKey(key).agentId === agentId
}

/**
 * Of a transcript: the tool `session_status`, asked without a key, is answered with that of its own session. Nothing that people write
 * counts, and nothing that a transcript has taken over from another one: `hasParent` says that it may have.
 */
export class OwnStatus {
  readonly #agentId: string
  readonly #asked = new Set<string>()
  /** The last one told; null as long as none is. */
  key: string | null = null
  id: string | null = null
  hasParent = false

  constructor(agentId: string) {
    this.#agentId = agentId
  }

  /** One line after the other, from the first. */
  take(line: string): void {
    const isHeader = this.id === null && line.includes('"session"')
    if (!isHeader && !line.includes('session_status')) return
    const row = parsedJson(line)
    if (!isRecord(row)) return
    if (row.type === 'session' && typeof row.id === 'string') {
      this.id = row.id
      this.hasParent = row.parentSession !== undefined
    }
    if (row.type === 'message' && isRecord(row.message)) this.#takeMessage(row.message)
  }

  #takeMessage(message: Record<string, unknown>): void {
    if (message.role === 'assistant' && Array.isArray(message.content)) {
      for (const block of message.content)
        if (
          isRecord(block) &&
          block.type === 'toolCall' &&
          block.name === 'session_status' &&
          asksForOwn(block.arguments)
        )
          this.#asked.add(String(block.id))
    }
    const { toolName, toolCallId, details } = message
    if (message.role !== 'toolResult' || toolName !== 'session_status' || !this.#asked.has(String(toolCallId))) return
    if (isRecord(details) && typeof details.sessionKey === 'string' && isOf(details.sessionKey, this.#agentId))
      this.key = details.sessionKey
  }
}

function asksForOwn(args: unknown): boolean {
  return !isRecord(args) || args.sessionKey === undefined
}
