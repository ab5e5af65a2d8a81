import { HoldfastError } from '../../../model/errors.ts'
import { type Layout, Layouter, type Meter } from '../lines/layout.ts'
import { LinesDigest, type SourceLine } from '../lines/line.ts'
import type { Opening, Origin } from '../lines/records.ts'
import type { SessionSource, TranscriptSource } from '../sources/source.ts'

/** One incarnation of a conversation, ready to be written. */
export interface Laid {
  source: TranscriptSource
  layout: Layout
}

/**
 * All incarnations of a session, oldest first: of each transcript those between its resets. The next message comes into the last one: into an
 * empty one where its gateway would begin anew.
 */
export async function layOut(session: SessionSource, meter: Meter): Promise<Laid[]> {
  const laid: Laid[] = []
  for (const source of session.transcripts) {
    const layouter = new Layouter(meter)
    for await (const line of source.lines()) layouter.line(line)
    laid.push(...layouter.end().map((layout) => ({ source, layout })))
  }
  if (session.isEnded || laid.length === 0)
    laid.push({ source: nothing, layout: new Layouter(meter).end()[0] as Layout })
  return laid
}

const nothing: TranscriptSource = { name: 'none', sessionId: '', file: null, startedAtMs: null, async *lines() {} }

/** No transcript of a gateway is called so. */
const nameOfNothing = (key: string | null) => `(${key})`

/** It holds the index entry alone, and what was said here since. */
export const isNothing = ({ name, key }: Opening): boolean => name === nameOfNothing(key)

/** Where it comes from. The entry goes with the current incarnation. */
export function originOf(session: SessionSource, { source }: Laid, isCurrent: boolean, importedAtMs: number): Origin {
  const { agent, key } = session
  const name = source === nothing ? nameOfNothing(key) : source.name
  const { sessionId, file } = source
  return { agent, key, name, sessionId, file, importedAtMs, entry: isCurrent ? session.entry : null }
}

/** Its lines again, the same that were laid out. @throws HoldfastError HOME_CHANGED at the end where they are others */
export async function* linesOf({ source, layout }: Laid): AsyncGenerator<SourceLine, void, undefined> {
  const digest = new LinesDigest()
  for await (const line of source.lines()) {
    if (line.number > layout.lastLine) break
    if (line.number < layout.firstLine) continue
    digest.add(line)
    yield line
  }
  if (digest.hex() !== layout.sha256) {
    throw new HoldfastError('HOME_CHANGED', { because: `${source.file ?? source.name} was changed while it was read` })
  }
}
