/** Deeper JSON than this is refused at the door: `JSON.stringify` and structured clone overflow the stack near 10,000. */
export const jsonDepthMax = 256

export interface Cleaned<T> {
  value: T
  /** Strings in which lone surrogates were replaced by U+FFFD; such text does not survive UTF-8. */
  replaced: number
  tooDeep: boolean
}

/** Replaces lone surrogates in every string and key of a parsed JSON value, and measures its depth. */
export function cleanJson<T>(value: T): Cleaned<T> {
  let replaced = 0
  let tooDeep = false
  const text = (found: string): string => {
    if (found.isWellFormed()) return found
    replaced += 1
    return found.toWellFormed()
  }
  const visit = (node: unknown, depth: number): unknown => {
    if (typeof node === 'string') return text(node)
    if (node === null || typeof node !== 'object') return node
    if (depth > jsonDepthMax) {
      tooDeep = true
      return null
    }
    if (Array.isArray(node)) return node.map((item) => visit(item, depth + 1))
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [text(key), visit(item, depth + 1)]))
  }
  return { value: visit(value, 1) as T, replaced, tooDeep }
}

/** Cuts at a code point, never inside one; the result has at most `lengthMax` UTF-16 code units. */
export function cutText(found: string, lengthMax: number): string {
  if (found.length <= lengthMax) return found
  const code = found.charCodeAt(lengthMax - 1)
  const splitsPair = code >= 0xd800 && code <= 0xdbff
  return found.slice(0, splitsPair ? lengthMax - 1 : lengthMax)
}
