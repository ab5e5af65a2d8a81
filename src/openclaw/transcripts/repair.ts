import { HoldfastError } from '../../model/errors.ts'
import type { Line } from '../files/lines.ts'
import { type Checked, TranscriptCheck } from './check.ts'
import type { TranscriptFacts } from './facts.ts'
import { Ledger } from './ledger.ts'
import { type LineReport, Mender, type Piece } from './mend.ts'

/** Reads a transcript from its first line; each time the same lines. */
export type ReadTranscript = () => AsyncIterable<Line> | Iterable<Line>

/** The line of a header for a transcript that has none, without line feed. */
export type MakeHeader = (facts: TranscriptFacts) => Promise<Buffer> | Buffer

/** So many lines are told of one by one. */
const reportsMax = 10_000

export interface Repair {
  before: TranscriptFacts
  /** Of the mended transcript, read through as it will be written. */
  after: TranscriptFacts
  /** What became of lines that are not as they were; `reported` counts all. */
  reports: LineReport[]
  reported: number
  /** Of the mended transcript. */
  bytes: number
  /** Its bytes, made anew from the original each time. */
  pieces: () => AsyncGenerator<Piece>
}

/**
 * What a repair of this transcript makes of it, read through. `found`: by a check of the same lines, something mendable among it. Nothing is
 * changed by this.
 * @throws HoldfastError REPAIR_REFUSED where an entry that could be read before could not be read afterwards
 */
export async function planRepair(read: ReadTranscript, found: Checked, made: MakeHeader): Promise<Repair> {
  const header = found.header === 'made' ? await made(found.facts) : Buffer.alloc(0)
  const reports: LineReport[] = []
  let reported = 0
  const tell = (report: LineReport) => {
    reported += 1
    if (reports.length < reportsMax) reports.push(report)
  }
  let round: Round = { read, checked: found, header }
  let after = await prove(round, tell)
  for (let count = 1; after.mendable && count < roundsMax; count += 1) {
    const last = round
    round = { read: () => linesAfter(last), checked: after, header }
    after = await prove(round, tell)
  }
  const last = round
  return {
    before: found.facts,
    after: after.facts,
    reports,
    reported,
    bytes: after.facts.bytes,
    pieces: () => piecesOf(last),
  }
}

/** What is put right may bring other damage to light, rarely more than once: a copy whose original stood in a welded line. */
const roundsMax = 4

interface Round {
  read: ReadTranscript
  checked: Checked
  header: Buffer
}

/** Reads the outcome of a round through. @throws HoldfastError REPAIR_REFUSED */
async function prove(round: Round, tell: (report: LineReport) => void): Promise<Checked> {
  const proof = new Proof(round.checked)
  for await (const { line, pieces, report } of mendedLines(round)) {
    if (line !== null) proof.original(line)
    for (const each of linesIn(pieces, line ?? firstLine)) proof.mended(each)
    if (report !== null) tell(report)
  }
  return proof.end()
}

export async function checkLines(read: ReadTranscript, bytes: number): Promise<Checked> {
  const check = new TranscriptCheck()
  for await (const line of read()) check.line(line)
  return check.end(bytes)
}

async function* mendedLines({ read, checked, header }: Round) {
  const mender = new Mender(checked)
  yield { line: null, ...mender.begin(header) }
  for await (const line of read()) yield { line, ...mender.line(line) }
}

async function* piecesOf(round: Round): AsyncGenerator<Piece> {
  for await (const { pieces } of mendedLines(round)) yield* pieces
}

async function* linesAfter(round: Round): AsyncGenerator<Line> {
  for await (const { line, pieces } of mendedLines(round)) yield* linesIn(pieces, line ?? firstLine)
}

const firstLine = { number: 0, offset: 0 }

/** Lines made of pieces; each keeps the number and place of the one in the original that it comes from. */
function* linesIn(pieces: readonly Piece[], { number, offset }: Pick<Line, 'number' | 'offset'>): Generator<Line> {
  let parts: Buffer[] = []
  let tooLong = 0
  for (const piece of pieces) {
    if (!Buffer.isBuffer(piece)) tooLong = piece.bytes
    else if (piece.length !== 1 || piece[0] !== 0x0a) parts.push(piece)
    else {
      const data = tooLong > 0 ? null : Buffer.concat(parts)
      yield { number, offset, bytes: data?.length ?? tooLong, data, ended: true }
      parts = []
      tooLong = 0
    }
  }
}

/** Compares what could be read before a round with what can be read after it. */
class Proof {
  readonly #before: Checked
  readonly #ledger = new Ledger()
  readonly #check = new TranscriptCheck()
  #bytes = 0

  constructor(before: Checked) {
    this.#before = before
  }

  original(line: Line): void {
    this.#ledger.original(line, this.#before.edits)
  }

  mended(line: Line): void {
    this.#bytes += line.bytes + 1
    this.#check.line(line)
    this.#ledger.mended(line)
  }

  end(): Checked {
    const missing = this.#ledger.missing()
    if (missing > 0) {
      const because = `${missing} entries that could be read before could not be read afterwards`
      throw new HoldfastError('REPAIR_REFUSED', { because })
    }
    return this.#check.end(this.#bytes)
  }
}
