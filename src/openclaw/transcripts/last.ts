import type { OpenFile } from '../files/open.ts'
import type { MessageFacts } from './rows/entry.ts'
import { readLine } from './rows/reading.ts'

interface LastMessage extends MessageFacts {
  atMs: number | null
}

export interface Tail {
  /** Oldest first. */
  messages: LastMessage[]
  /** The file has no others. */
  whole: boolean
}

/** Read at first; more where it holds too few messages. Unit: bytes. */
const firstBytes = 16 * 1024

/**
 * The last messages of a transcript, at most `count`, from its last `bytesMax` bytes and no others; a start has no time for all of it. Lines
 * that are no entries are passed over. @throws HoldfastError HOME_UNREADABLE
 */
export async function lastMessages(file: OpenFile, count: number, bytesMax: number): Promise<Tail> {
  for (let bytes = Math.min(firstBytes, bytesMax); ; bytes = Math.min(bytes * 4, bytesMax)) {
    const from = Math.max(0, file.bytes - bytes)
    const messages = messagesIn(await readFrom(file, from), from === 0)
    const whole = from === 0 && messages.length <= count
    if (from === 0 || bytes === bytesMax || messages.length >= count) return { messages: messages.slice(-count), whole }
  }
}

async function readFrom(file: OpenFile, from: number): Promise<Buffer> {
  const data = Buffer.alloc(file.bytes - from)
  let done = 0
  while (done < data.length) {
    const read = await file.read(data.subarray(done), from + done)
    if (read === 0) break
    done += read
  }
  return data.subarray(0, done)
}

function messagesIn(data: Buffer, fromStart: boolean): LastMessage[] {
  const messages: LastMessage[] = []
  for (let at = fromStart ? 0 : lineAfter(data, 0); at < data.length; at = lineAfter(data, at)) {
    const end = data.indexOf(0x0a, at)
    const reading = readLine(data.subarray(at, end === -1 ? data.length : end), end !== -1)
    for (const { row } of reading.parts) {
      if (row !== null && 'entry' in row && row.entry.message !== null)
        messages.push({ ...row.entry.message, atMs: row.entry.atMs })
    }
  }
  return messages
}

function lineAfter(data: Buffer, at: number): number {
  const end = data.indexOf(0x0a, at)
  return end === -1 ? data.length : end + 1
}
