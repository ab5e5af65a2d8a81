import { indexUnreadable, ObjectScanner, type ParsedObject } from './text/scan.ts'

/** An index of 1,000 sessions has 42 MB in the worst report known; six times that is no index that a gateway could load. */
export const indexBytesMax = 256 * 1024 ** 2

/**
 * Takes an index apart: the bytes of each entry, without making objects of them.
 * @throws HoldfastError INDEX_UNREADABLE with `because` and `offset`
 */
export function parseIndex(bytes: Buffer): ParsedObject {
  const scanner = scanIndex(bytes)
  scanner.advance(bytes.length)
  return scanner.finish()
}

/** The same, in steps: `advance` until it is true, then `finish`. So that a large index stops nobody. */
export function scanIndex(bytes: Buffer): ObjectScanner {
  if (bytes.length > indexBytesMax)
    throw indexUnreadable(`it has ${bytes.length} bytes, more than ${indexBytesMax}`, bytes.length)
  if (bytes.length === 0) throw indexUnreadable('it is empty (0 bytes)', 0)
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    throw indexUnreadable('it begins with a byte order mark, which gateways cannot read', 0)
  return new ObjectScanner(bytes, 0, bytes.length)
}

/** The members of an object that stands in `bytes` from `start` to `end`. @throws HoldfastError INDEX_UNREADABLE */
export function parseObject(bytes: Buffer, start = 0, end = bytes.length): ParsedObject {
  const scanner = new ObjectScanner(bytes, start, end)
  scanner.advance(end - start)
  return scanner.finish()
}
