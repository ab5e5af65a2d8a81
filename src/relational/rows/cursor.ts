import { HoldfastError } from '../../model/errors.ts'

/** A place in a list, opaque to callers: the list's name and the sort key of the last row. */
export function cursorOf(list: string, ...at: number[]): string {
  return Buffer.from(JSON.stringify([list, ...at])).toString('base64url')
}

/** @throws HoldfastError CURSOR_INVALID */
export function parseCursor(list: string, length: number, cursor: string): number[] {
  const [found, ...at] = parts(cursor)
  const fits = found === list && at.length === length && at.every((part) => Number.isSafeInteger(part))
  if (!fits) throw new HoldfastError('CURSOR_INVALID', { list })
  return at as number[]
}

function parts(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(parsed) ? parsed : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}
