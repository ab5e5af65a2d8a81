import { isUtf8 } from 'node:buffer'
import { HoldfastError } from '../../../model/errors.ts'

/** `"key": value` in an object: where both stand. Offsets are bytes; `keyStart` is the quote, ends are behind the last byte. */
export interface Member {
  /** Decoded. Keys are data of other people: never use one to index an object. */
  key: string
  keyStart: number
  keyEnd: number
  valueStart: number
  valueEnd: number
}

/** An object's text, taken apart one level deep. Its values stay bytes. */
export interface ParsedObject {
  /** Of `{`. */
  open: number
  /** Of `}`. */
  close: number
  /** In the order of the file; a key that stands twice is here twice. */
  members: Member[]
}

/** Deeper JSON parses but cannot be written again: `JSON.stringify` overflows from about 10,000. Gateways write less than 10. */
export const depthMax = 256

const quote = 0x22
const backslash = 0x5c
const letterU = 0x75
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** No gateway gets through a tenth of it; each costs some 200 bytes of memory here. */
const membersMax = 500_000

/** What may come next, besides white space. */
type Expected = 'object' | 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end' | 'nothing'

/**
 * Reads an object's text once, from `start` to `end`, in steps of the caller's size, and notes where its members stand. Checked is the
 * whole of JSON's grammar (RFC 8259) and that the text is UTF-8; half a surrogate pair as an escape passes, as in `JSON.parse`.
 */
export class ObjectScanner {
  /** Complete ones, also after a failure: what can be saved of a torn index. */
  readonly members: Member[] = []
  /** What was read and found good so far. */
  at: number
  readonly #bytes: Buffer
  readonly #end: number
  #checked: number
  #expected: Expected = 'object'
  readonly #isObject = new Uint8Array(depthMax + 1)
  #depth = 0
  #open = 0
  #close = 0
  /** Within a string: where it began; else -1. */
  #string = -1
  #stringIsKey = false
  #escaped = false
  #keyStart = 0
  #keyEnd = 0
  #keyEscaped = false
  #valueStart = 0

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#end = end
    this.at = start
    this.#checked = start
  }

  /** Reads on for about so many bytes. True when all is read. @throws HoldfastError INDEX_UNREADABLE */
  advance(bytesMax: number): boolean {
    const until = Math.min(this.#end, this.at + bytesMax)
    this.#checkEncoding(until)
    while (this.at < until) {
      const byte = this.#bytes[this.at] as number
      if (this.#string >= 0) this.#readString(until)
      else if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) this.at++
      else this.#readToken(byte)
    }
    return this.at >= this.#end
  }

  /** @throws HoldfastError INDEX_UNREADABLE when it ended too early */
  finish(): ParsedObject {
    if (this.#expected === 'object') throw indexUnreadable('it holds nothing but white space', this.at)
    if (this.#expected !== 'nothing')
      throw indexUnreadable(`it ends in the middle, after ${this.at} bytes and ${this.members.length} entries`, this.at)
    return { open: this.#open, close: this.#close, members: this.members }
  }

  /** UTF-8 up to here: cut back to where a character begins, so that none is judged by half. */
  #checkEncoding(until: number): void {
    let end = until
    if (end < this.#end) {
      const earliest = Math.max(this.#checked, end - 3)
      while (end > earliest && ((this.#bytes[end] as number) & 0xc0) === 0x80) end--
    }
    if (!isUtf8(this.#bytes.subarray(this.#checked, end))) throw this.#fail('bytes that are not UTF-8', this.#checked)
    this.#checked = end
  }

  #readString(until: number): void {
    const bytes = this.#bytes
    let at = this.at
    while (at < until) {
      const byte = bytes[at] as number
      if (byte === quote) {
        this.at = at + 1
        this.#endString()
        return
      }
      if (byte === backslash) {
        this.#escaped = true
        at += this.#escapeLength(at)
      } else if (byte < 0x20) throw this.#fail('a control character inside a string', at)
      else at++
    }
    this.at = at
  }

  /** Less than it should be where the text ends before the escape does; that it is torn is told at the end. */
  #escapeLength(at: number): number {
    const rest = this.#end - at
    const kind = this.#bytes[at + 1] as number
    if (rest < 2) return rest
    if (kind !== letterU) {
      if (!isSimpleEscape(kind)) throw this.#fail('an escape that JSON does not know', at)
      return 2
    }
    for (let digit = at + 2; digit < at + 6; digit++) {
      if (digit >= this.#end) return rest
      if (!isHexDigit(this.#bytes[digit] as number)) throw this.#fail('an escape that JSON does not know', at)
    }
    return 6
  }

  #endString(): void {
    const start = this.#string
    this.#string = -1
    if (!this.#stringIsKey) {
      this.#endValue()
      return
    }
    this.#expected = 'colon'
    if (this.#depth !== 1) return
    this.#keyStart = start
    this.#keyEnd = this.at
    this.#keyEscaped = this.#escaped
  }

  #readToken(byte: number): void {
    const expected = this.#expected
    if (expected === 'comma or end') this.#endMember(byte)
    else if (expected === 'value' || expected === 'value or ]') this.#beginValue(byte)
    else if (expected === 'key' || expected === 'key or }') this.#beginKey(byte)
    else if (expected === 'colon') {
      if (byte !== colon) throw this.#fail('a key without a colon', this.at)
      this.#step('value')
    } else if (expected === 'object') {
      if (byte !== openBrace) throw this.#fail('no object at its beginning', this.at)
      this.#open = this.at
      this.#enter(true)
    } else throw this.#fail('something after its end', this.at)
  }

  #beginKey(byte: number): void {
    if (byte === quote) this.#beginString(true)
    else if (byte === closeBrace && this.#expected === 'key or }') this.#leave(true)
    else throw this.#fail('something in place of a key', this.at)
  }

  #endMember(byte: number): void {
    if (byte === comma) this.#step(this.#isObject[this.#depth] === 1 ? 'key' : 'value')
    else if (byte === closeBrace || byte === closeBracket) this.#leave(byte === closeBrace)
    else throw this.#fail('two values without a comma', this.at)
  }

  #beginValue(byte: number): void {
    if (this.#depth === 1) this.#valueStart = this.at
    if (byte === quote) this.#beginString(false)
    else if (byte === openBrace || byte === openBracket) this.#enter(byte === openBrace)
    else if (byte === closeBracket && this.#expected === 'value or ]') this.#leave(false)
    else this.#readScalar()
  }

  #readScalar(): void {
    const end = scalarEnd(this.#bytes, this.at, this.#end)
    if (end < this.#end && !isScalar(this.#bytes, this.at, end)) throw this.#fail('something that is no value', this.at)
    this.at = end
    // one that reaches the end may be the half of one: `12` of `120`, `tru`
    if (end < this.#end) this.#endValue()
  }

  #step(expected: Expected): void {
    this.at++
    this.#expected = expected
  }

  #beginString(isKey: boolean): void {
    this.#string = this.at
    this.#stringIsKey = isKey
    this.#escaped = false
    this.at++
  }

  #enter(object: boolean): void {
    if (this.#depth === depthMax) throw this.#fail(`more than ${depthMax} levels`, this.at)
    this.#depth++
    this.#isObject[this.#depth] = object ? 1 : 0
    this.#step(object ? 'key or }' : 'value or ]')
  }

  #leave(object: boolean): void {
    if ((this.#isObject[this.#depth] === 1) !== object) throw this.#fail('a bracket that closes another one', this.at)
    this.#depth--
    if (this.#depth === 0) {
      this.#close = this.at
      this.#step('nothing')
    } else {
      this.at++
      this.#endValue()
    }
  }

  #endValue(): void {
    this.#expected = 'comma or end'
    if (this.#depth !== 1) return
    if (this.members.length === membersMax) throw this.#fail(`more than ${membersMax} entries`, this.at)
    const keyStart = this.#keyStart
    const keyEnd = this.#keyEnd
    const key = this.#keyEscaped
      ? (JSON.parse(this.#bytes.toString('utf8', keyStart, keyEnd)) as string)
      : this.#bytes.toString('utf8', keyStart + 1, keyEnd - 1)
    this.members.push({ key, keyStart, keyEnd, valueStart: this.#valueStart, valueEnd: this.at })
  }

  #fail(what: string, at: number): HoldfastError {
    if (this.#bytes[at] === 0)
      return indexUnreadable(`it holds zeros from byte ${at} on, as a power cut leaves them`, at)
    return indexUnreadable(`it holds ${what}, at byte ${at}`, at)
  }
}

/** Where a number or a word ends: at the next byte that cannot be part of one. */
function scalarEnd(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end) {
    const byte = bytes[at] as number
    const isPart =
      (byte >= 0x30 && byte <= 0x39) ||
      (byte >= 0x61 && byte <= 0x7a) ||
      byte === 0x2e || // .
      byte === 0x2d || // -
      byte === 0x2b || // +
      byte === 0x45 // E
    if (!isPart) break
    at++
  }
  return at
}

const scalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/

function isScalar(bytes: Buffer, start: number, end: number): boolean {
  return end > start && scalar.test(bytes.toString('latin1', start, end))
}

/** One of `"` `\` `/` `b` `f` `n` `r` `t`. */
function isSimpleEscape(byte: number): boolean {
  return (
    byte === 0x22 ||
    byte === 0x5c ||
    byte === 0x2f ||
    byte === 0x62 ||
    byte === 0x66 ||
    byte === 0x6e ||
    byte === 0x72 ||
    byte === 0x74
  )
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
}

export function indexUnreadable(because: string, offset: number): HoldfastError {
  return new HoldfastError('INDEX_UNREADABLE', { because, offset })
}
