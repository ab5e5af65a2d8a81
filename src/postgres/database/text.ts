/**
 * PostgreSQL keeps every text but one with U+0000, and UTF-8 has no half of a surrogate pair. Both may come in what people or models
 * wrote, so they are kept as an escape that begins with U+001A, which stands for itself as U+001A s.
 */
const mark = '\u001a'

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
const toEscape = /[\0\u001a]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is the mark.
const escaped = /\u001a([s0]|[0-9a-f]{4})/g

export function textToKeep(text: string): string {
  const plain = !text.includes('\0') && !text.includes(mark) && text.isWellFormed()
  return plain ? text : text.replaceAll(toEscape, (unit) => mark + nameOf(unit))
}

export function textKept(text: string): string {
  return text.includes(mark) ? text.replaceAll(escaped, (_, name: string) => unitOf(name)) : text
}

function nameOf(unit: string): string {
  if (unit === mark) return 's'
  return unit === '\0' ? '0' : unit.charCodeAt(0).toString(16)
}

function unitOf(name: string): string {
  if (name === 's') return mark
  return name === '0' ? '\0' : String.fromCharCode(Number.parseInt(name, 16))
}
