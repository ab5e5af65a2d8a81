import { isHoldfastError } from '../../model/errors.ts'
import { type OpenFile, openInside } from '../files/open.ts'
import { lastMessages } from '../transcripts/last.ts'
import type { Tail } from './steps.ts'

/** A turn with many tools has many messages; starts that went on with it stand between them. */
const messagesMax = 60
/** As much as a gateway reads before it goes on with a session. Unit: bytes. */
const bytesMax = 256 * 1024
/** A header has some 300 bytes. Unit: bytes. */
const headBytes = 4 * 1024

/** What the end of a transcript and its first line say; nothing in between is read. */
export async function readTail(root: string, path: string): Promise<Tail> {
  try {
    using file = await openInside(root, path)
    if (file === null) return { state: 'missing' }
    const { messages, whole } = await lastMessages(file, messagesMax, bytesMax)
    const spoken = messages.filter(({ role }) => role !== 'system')
    const last = spoken.at(-1)
    const answeredAt = spoken.findLastIndex(
      ({ role, stopReason }) => role === 'assistant' && ends.has(stopReason ?? ''),
    )
    return {
      state: 'read',
      // one message may be longer than what is read
      lastRole: last?.role ?? (whole ? null : 'unknown'),
      failed: last?.role === 'assistant' && last.stopReason === 'error',
      attempts: spoken.slice(answeredAt + 1).filter(({ isResume }) => isResume).length,
      torn: !(await hasHeader(file)) || !(await isEnded(file)),
    }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return { state: 'unreadable', because: String(error.facts.because ?? error.message) }
  }
}

/** With these a model has said what it had to say. */
const ends: ReadonlySet<string> = new Set(['stop', 'length'])

async function hasHeader(file: OpenFile): Promise<boolean> {
  const head = Buffer.alloc(Math.min(headBytes, file.bytes))
  const read = await file.read(head, 0)
  const end = head.indexOf(0x0a)
  if (end === -1) return file.bytes > headBytes // longer than any header: a look at all of it decides
  try {
    const header = JSON.parse(head.toString('utf8', 0, Math.min(end, read)))
    return header?.type === 'session' && typeof header.id === 'string'
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

async function isEnded(file: OpenFile): Promise<boolean> {
  if (file.bytes === 0) return false
  const last = Buffer.alloc(1)
  await file.read(last, file.bytes - 1)
  return last[0] === 0x0a
}
