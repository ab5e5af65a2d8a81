/** JSON as bytes: where values begin and end, without building them. All of it takes time in proportion to what it reads. */

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d
const colon = 0x3a
const comma = 0x2c

/** Behind the string that begins at `at`, or the length of `data` where it does not end. */
function stringEnd(data: Buffer, at: number): number {
  for (let end = data.indexOf(quote, at + 1); end !== -1; end = data.indexOf(quote, end + 1)) {
    let slashes = 0
    while (data[end - 1 - slashes] === backslash) slashes += 1
    if (slashes % 2 === 0) return end + 1
  }
  return data.length
}

/** Behind the object or list that begins at `at`, by its brackets alone; null where they do not close. */
export function bracketsEnd(data: Buffer, at: number): number | null {
  let open = 0
  for (let index = at; index < data.length; index += 1) {
    const byte = data[index]
    if (byte === quote) index = stringEnd(data, index) - 1
    else if (byte === openBrace || byte === openBracket) open += 1
    else if (byte === closeBrace || byte === closeBracket) {
      open -= 1
      if (open === 0) return index + 1
      if (open < 0) return null
    }
  }
  return null
}

/** How deep objects and lists are nested. */
export function nesting(data: Buffer): number {
  let open = 0
  let deepest = 0
  for (let index = 0; index < data.length; index += 1) {
    const byte = data[index]
    if (byte === quote) index = stringEnd(data, index) - 1
    else if (byte === openBrace || byte === openBracket) {
      open += 1
      if (open > deepest) deepest = open
    } else if (byte === closeBrace || byte === closeBracket) open -= 1
  }
  return deepest
}

/** A member of an object: its name, and where its value stands. */
export interface Member {
  name: string
  start: number
  end: number
}

/** The members of the object that `data` is, which must be valid JSON. One name may come twice; readers take the last. */
export function members(data: Buffer): Member[] {
  const found: Member[] = []
  let at = skipSpace(data, data.indexOf(openBrace) + 1)
  while (data[at] === quote) {
    const nameEnd = stringEnd(data, at)
    const name: string = JSON.parse(data.toString('utf8', at, nameEnd))
    const start = skipSpace(data, skipSpace(data, nameEnd) + 1)
    const end = valueEnd(data, start)
    found.push({ name, start, end })
    at = skipSpace(data, end)
    if (data[at] === comma) at = skipSpace(data, at + 1)
  }
  return found
}

function valueEnd(data: Buffer, at: number): number {
  const byte = data[at]
  if (byte === quote) return stringEnd(data, at)
  if (byte === openBrace || byte === openBracket) return bracketsEnd(data, at) ?? data.length
  let end = at
  while (end < data.length && !isSpace(data[end]) && data[end] !== comma && data[end] !== closeBrace) end += 1
  return end
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0d || byte === 0x09 || byte === 0x0a
}

export function skipSpace(data: Buffer, at: number): number {
  let index = at
  while (isSpace(data[index])) index += 1
  return index
}

/** What may follow a value that stands inside another one. */
export function continues(byte: number | undefined): boolean {
  return byte === comma || byte === closeBrace || byte === closeBracket || byte === colon
}
