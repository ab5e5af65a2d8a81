import { expect } from 'vitest'
import { checkLines, planRepair, type Repair } from '../../../src/openclaw/transcripts/repair.ts'
import { contentOf, isSecond, readAsGateway, shown } from './gateway.ts'
import { linesOf } from './rows.ts'

export const made = Buffer.from(
  '{"type":"session","version":3,"id":"made","timestamp":"2026-11-21T06:00:00.000Z","cwd":"/w"}',
)

export async function plan(data: Buffer, lineBytesMax?: number): Promise<Repair | null> {
  const read = () => linesOf(data, lineBytesMax)
  const checked = await checkLines(read, data.length)
  return checked.mendable ? await planRepair(read, checked, () => made) : null
}

/** The bytes of the mended transcript; the same bytes where nothing is to be mended. */
export async function mend(data: Buffer, lineBytesMax?: number): Promise<Buffer> {
  const repair = await plan(data, lineBytesMax)
  if (repair === null) return data
  const parts: Buffer[] = []
  for await (const piece of repair.pieces()) {
    parts.push(Buffer.isBuffer(piece) ? piece : data.subarray(piece.from, piece.from + piece.bytes))
  }
  return Buffer.concat(parts)
}

/** Whatever was done to the file: what could be read still can, each line is whole, the walk ends, and nothing is left to do. */
export async function expectMended(
  data: Buffer,
  { linear, mended }: { linear: boolean; mended: Buffer },
): Promise<void> {
  const before = readAsGateway(data)
  const after = readAsGateway(mended)
  expect(mended.length === 0 || mended.at(-1)).toBe(0x0a)
  const messages = new Set(after.filter(({ type }) => type === 'message').map(contentOf))
  const lost = before.filter((row) => row.type === 'message' && !isSecond(row) && !messages.has(contentOf(row)))
  expect(lost).toEqual([])
  const again = await plan(mended)
  expect(again?.before.counts ?? {}).toEqual({})
  expect(after.length).toBe(
    mended
      .toString()
      .split('\n')
      .filter((line) => line.trim() !== '').length,
  )
  const sees = shown(after)
  expect(sees).not.toBeNull()
  if (!linear || hasTwoOfOneId(before)) return
  const saw = shown(before)
  const missing = (saw ?? []).filter((message) => !sees?.includes(message) && !message.includes('"api":"cli"'))
  expect(missing).toEqual([])
}

/** A gateway takes the second one for both, and the chain of the first is gone. */
function hasTwoOfOneId(rows: { id?: unknown }[]): boolean {
  const different = new Set(rows.map((row) => JSON.stringify(row)))
  return new Set([...different].map((row) => JSON.parse(row).id)).size < different.size
}
