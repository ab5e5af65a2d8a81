import type { RunCommand } from '../../host/commands.ts'
import { jsonIn, lastWords } from './answer.ts'
import { askOpenClaw, type OpenClaw } from './command.ts'

/** Which session a gateway is to forget: only if it still is that one, and was not used since. */
export interface ForgottenSession {
  key: string
  sessionId: string
  /** As the entry says: `updatedAt`. */
  updatedAt: number
}

export type Forgotten =
  | { kind: 'done' }
  /** It was used or reset meanwhile, or may not go. */
  | { kind: 'refused'; because: string }
  /** This release cannot compare before it deletes: 2026.5.18 stops a turn that runs then. */
  | { kind: 'unable'; because: string }

/** A command takes seconds to start. Unit: ms. */
const timeLimitMs = 60_000

/**
 * Asks a running gateway to take a session's entry out of its index, and to leave the transcript alone: `sessions.delete` with what the session must
 * still be. Tried with 2026.7.1, which compares and deletes in one step, and 2026.5.18, which knows no such comparison and refuses the call.
 * @throws HoldfastError OPENCLAW_FAILED
 */
export async function forgetSession(
  openclaw: OpenClaw,
  { key, sessionId, updatedAt }: ForgottenSession,
  run: RunCommand,
): Promise<Forgotten> {
  const params = { key, deleteTranscript: false, expectedSessionId: sessionId, expectedSessionUpdatedAt: updatedAt }
  const args = [
    'gateway',
    'call',
    'sessions.delete',
    '--params',
    JSON.stringify(params),
    '--json',
    '--timeout',
    '30000',
  ]
  const result = await askOpenClaw(openclaw, args, timeLimitMs, run)
  const answer = jsonIn(result.stdout)
  if (result.code === 0 && isRecord(answer) && answer.deleted === true) return { kind: 'done' }
  if (result.code === 0 && isRecord(answer) && answer.ok === true)
    return { kind: 'refused', because: 'the gateway does not know it' }
  const told = isRecord(answer) && isRecord(answer.error) ? String(answer.error.message ?? '') : ''
  const because = told === '' ? lastWords(result) : told
  return /unexpected property|invalid sessions\.delete params/i.test(`${because} ${result.stderr}`)
    ? {
        kind: 'unable',
        because:
          'its release cannot do it without risk for a turn that runs; `holdfast prestart` does it before the next start',
      }
    : { kind: 'refused', because }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
