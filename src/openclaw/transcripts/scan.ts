import { readLines } from '../files/lines.ts'
import { openInside } from '../files/open.ts'
import { TranscriptCheck } from './check.ts'
import type { TranscriptFacts } from './facts.ts'

/** A longer line is not read into memory. Unit: bytes. */
export const lineBytesMax = 16 * 1024 ** 2

/**
 * What a transcript holds and what is wrong with it; null where there is none. Nothing is changed. Holds one line of at most 16 MB and
 * about 150 bytes for each of at most a million rows. @throws HoldfastError HOME_UNSAFE, HOME_UNREADABLE, HOME_CHANGED
 */
export async function scanTranscript(root: string, path: string): Promise<TranscriptFacts | null> {
  using file = await openInside(root, path)
  if (file === null) return null
  const check = new TranscriptCheck()
  for await (const line of readLines(file, { lineBytesMax })) check.line(line)
  return check.end(file.bytes).facts
}
