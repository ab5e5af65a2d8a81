import type { Telemetry } from '../engine/telemetry.ts'
import { HoldfastError } from '../model/errors.ts'
import { cleanJson, jsonDepthMax } from '../model/text.ts'
import { formatSize } from '../model/units.ts'

/** About 30,000 messages. To check, clean and measure more would hold up every other request for a second. */
const valuesMax = 100_000

/**
 * The JSON of a request's body, with lone surrogates replaced and counted; an empty body is an empty object. The
 * content type is not looked at: curl sends another one unless told, and foreign pages are kept out by their Origin.
 * @throws HoldfastError REQUEST_INVALID, REQUEST_TOO_LARGE
 */
export async function readJson(request: Request, bodyMax: number, telemetry: Telemetry): Promise<unknown> {
  const text = await readText(request, bodyMax)
  if (text === '') return {}
  if (hasMoreValues(text, valuesMax)) throw new HoldfastError('REQUEST_INVALID', { because: tooManyValues, valuesMax })
  const { value, replaced, tooDeep } = cleanJson(parsed(text))
  if (tooDeep) throw new HoldfastError('REQUEST_INVALID', { because: `it is nested deeper than ${jsonDepthMax}` })
  if (replaced > 0) telemetry.surrogatesReplaced(replaced)
  return value
}

const tooManyValues = `it holds more than ${valuesMax} values`

/** Counted without parsing, which takes seconds for some: each value but the first follows a comma or opens a list or an object. */
export function hasMoreValues(text: string, most: number): boolean {
  let values = 1
  for (let at = 0; at < text.length && values <= most; at += 1) {
    const sign = text[at]
    if (sign === '"') at = endOfString(text, at)
    else if (sign === ',' || sign === '[' || sign === '{') values += 1
  }
  return values > most
}

/** The place of the closing quote; the end of the text when there is none. */
function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let before = quote
    while (text[before - 1] === '\\') before -= 1
    if ((quote - before) % 2 === 0) return quote
  }
  return text.length
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // the engine's message quotes what people wrote; its position does not
    const position = /at position (\d+)/.exec(error.message)?.[1]
    const where = position === undefined ? '' : ` at character ${position}`
    throw new HoldfastError('REQUEST_INVALID', { because: `the body is not JSON${where}` })
  }
}

/** Reads no more than the limit; a body that tells its length is refused before it is read. */
async function readText(request: Request, bodyMax: number): Promise<string> {
  const length = request.headers.get('content-length')
  if (length !== null && Number(length) > bodyMax) throw tooLarge(bodyMax)
  if (length !== null || request.body === null) return request.text()
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const chunk of request.body) {
    total += chunk.length
    if (total > bodyMax) throw tooLarge(bodyMax)
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks, total))
}

function tooLarge(bodyMax: number): HoldfastError {
  return new HoldfastError('REQUEST_TOO_LARGE', { because: `the limit is ${formatSize(bodyMax)}`, bodyMax })
}
