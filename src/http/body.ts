import type { Telemetry } from '../engine/telemetry.ts'
import { HoldfastError } from '../model/errors.ts'
import { cleanJson, jsonDepthMax } from '../model/text.ts'
import { formatSize } from '../model/units.ts'

/**
 * The JSON of a request's body, with lone surrogates replaced and counted; an empty body is an empty object. The
 * content type is not looked at: curl sends another one unless told, and foreign pages are kept out by their Origin.
 * @throws HoldfastError REQUEST_INVALID, REQUEST_TOO_LARGE
 */
export async function readJson(request: Request, bodyMax: number, telemetry: Telemetry): Promise<unknown> {
  const text = await readText(request, bodyMax)
  if (text === '') return {}
  const { value, replaced, tooDeep } = cleanJson(parsed(text))
  if (tooDeep) throw new HoldfastError('REQUEST_INVALID', { because: `it is nested deeper than ${jsonDepthMax}` })
  if (replaced > 0) telemetry.surrogatesReplaced(replaced)
  return value
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
