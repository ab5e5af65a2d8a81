import { isDeepStrictEqual } from 'node:util'
import type { TranscriptRecord } from '../../../model/records.ts'
import { readLines } from '../../files/lines.ts'
import { openInside } from '../../files/open.ts'
import { rowsOf } from '../lines/line.ts'
import { linesCode, openingCode } from '../lines/records.ts'
import type { Mapped } from '../rows/entry.ts'
import type { TranscriptFacts } from './transcript.ts'

const lineBytesMax = 64 * 1024 ** 2

/**
 * Reads a transcript that was written as an import would read it, beside the entries of the store. null where every one is there again, in its
 * place; else what differs first, without any words of it.
 */
export async function compareFile(
  root: string,
  path: string,
  records: AsyncIterable<TranscriptRecord>,
  { opening }: TranscriptFacts,
): Promise<string | null> {
  const found = mappedIn(root, path)
  for await (const record of records) {
    if (record.type !== 'entry') continue
    const isFrame =
      opening !== null && record.kind === 'event' && frames.some((code) => record.body.startsWith(`{"code":"${code}"`))
    if (isFrame) continue
    const { value } = await found.next()
    if (value === undefined) return `entry ${record.seq} is not there`
    if (value.kind !== record.kind || !isDeepStrictEqual(value.body, JSON.parse(record.body)))
      return `entry ${record.seq} is another one`
  }
  return (await found.next()).value === undefined ? null : 'it has a message more'
}

/** Events of an import that stand for lines and are none. */
const frames = [openingCode, linesCode]

async function* mappedIn(root: string, path: string): AsyncGenerator<Mapped, undefined> {
  using file = await openInside(root, path)
  if (file === null) return
  for await (const line of readLines(file, { lineBytesMax })) {
    for (const { mapped } of rowsOf(line)) if (mapped !== null) yield mapped
  }
}
