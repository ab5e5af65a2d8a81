import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import type { SessionKey } from '../../../model/keys.ts'
import { cutText } from '../../../model/text.ts'
import { putTranscript } from '../../../store/carry/put.ts'
import type { Store } from '../../../store/port.ts'
import { keyOfUnbound, keyToOurs } from '../keys.ts'
import type { Layout, Meter } from '../lines/layout.ts'
import { headerOf, type Opening, recordsOf } from '../lines/records.ts'
import type { SessionSource } from '../sources/source.ts'
import { compareTranscript } from './compare.ts'
import { type Laid, layOut, linesOf, originOf } from './laid.ts'
import type { SessionReport, SessionState, TranscriptReport } from './report.ts'
import { type Standing, standingOf } from './standing.ts'

export interface BringGround {
  /** null: there is none yet, and none is to be made (a dry run). */
  store: Store | null
  meter: Meter
  nowMs: number
  dryRun: boolean
}

/** What names a transcript on its way in. */
export const importOrigin = { sweep: 'import', file: 'openclaw' }

/** Of a title. */
const titleLengthMax = 200
/** A gateway that writes while it is read is given so many chances to pause. */
const triesMax = 3

/**
 * Brings one conversation into the store, or finds that it is there, and compares it. Can be broken off at any moment and begun again: what
 * is there wholly stays, what is not is written again.
 */
export async function bringSession(source: SessionSource, ground: BringGround): Promise<SessionReport> {
  const as = ownKey(source)
  for (let tries = 1; ; tries += 1) {
    try {
      return await bring(source, as, ground)
    } catch (error) {
      if (!isHoldfastError(error) || !ofTheHome.includes(error.code)) throw error
      if (error.code === 'HOME_CHANGED' && tries < triesMax) continue
      return reportOf(source, as, 'left', error.message, [])
    }
  }
}

/** One conversation that cannot be read does not keep the others back. */
const ofTheHome: readonly string[] = ['HOME_CHANGED', 'HOME_UNREADABLE', 'HOME_UNSAFE', 'HOME_BUSY', 'ARCHIVE_CONFLICT']

/** A transcript that is nobody's is a session under its own name. */
function ownKey({ agent, key, transcripts }: SessionSource): SessionKey {
  return key === null ? keyOfUnbound(transcripts[0]?.name ?? '', agent) : keyToOurs(key, agent)
}

async function bring(source: SessionSource, as: SessionKey, ground: BringGround): Promise<SessionReport> {
  const { store } = ground
  const laid = await layOut(source, ground.meter)
  const standing = store === null ? null : await standingOf(store, as, source, laid)
  if (standing === null) return await bringNew(source, as, laid, ground, 'imported', 0)
  if (standing.isForeign) {
    return reportOf(source, as, 'left', 'another conversation with this key is there already', laid)
  }
  return await bringAgain(source, as, laid, standing, ground)
}

async function bringNew(
  source: SessionSource,
  as: SessionKey,
  laid: readonly Laid[],
  ground: BringGround,
  state: SessionState,
  before: number,
): Promise<SessionReport> {
  const told = [...source.unread, ...source.missing]
  const missing = told.length === 0 ? null : told.join('; ')
  if (ground.dryRun || ground.store === null) return reportOf(source, as, state, missing, laid)
  const writer = new SessionWriter(ground.store, source, as, laid, ground.nowMs)
  const offset = await writer.putAll(before)
  const difference = await writer.compareAll(offset)
  if (difference !== null) return reportOf(source, as, 'mismatch', difference, laid, offset)
  if (source.pinned) await ground.store.patchSession({ key: as, pinned: true, atMs: ground.nowMs })
  return reportOf(source, as, state, missing, laid, offset)
}

/** Some or all of it is there. */
async function bringAgain(
  source: SessionSource,
  as: SessionKey,
  laid: readonly Laid[],
  standing: Standing,
  ground: BringGround,
): Promise<SessionReport> {
  const store = ground.store as Store
  const { found, gone, isUntouched } = standing
  const first = found.findIndex((each) => each !== undefined)
  const offset = (found[first]?.number ?? 0) - first - 1
  const isGrown = laid.some(({ layout }, at) => found[at] !== undefined && hasGrown(found[at].opening, layout))
  const isCurrentThere = found.at(-1) !== undefined && !isGrown
  if (!isCurrentThere) {
    if (!isUntouched) {
      const because = 'the home has newer rows, and the session has gone on here since: they are not brought over'
      return reportOf(source, as, 'left', because, laid)
    }
    if (gone.length > 0) {
      const because = `the home has newer rows, and has not kept what is transcript ${gone.join(', ')} here: delete the session here to take what it has`
      return reportOf(source, as, 'left', because, laid)
    }
    if (!ground.dryRun) await removeSession(store, as, ground.nowMs)
    return await bringNew(source, as, laid, ground, 'renewed', standing.session.transcript)
  }
  const writer = new SessionWriter(store, source, as, laid, ground.nowMs)
  let state: SessionState = 'present'
  for (const [at, each] of found.entries()) {
    const number = offset + at + 1
    if (each === undefined) {
      state = 'imported'
      if (ground.dryRun) continue
      await writer.put(at, offset)
      const difference = await writer.compareNew(at, number)
      if (difference !== null) return reportOf(source, as, 'mismatch', difference, laid, offset)
    } else {
      const difference = await writer.compare(at, number, { isContinued: true, ...each.opening })
      if (difference !== null)
        return reportOf(source, as, 'left', `what was imported has changed in the home: ${difference}`, laid)
    }
  }
  return reportOf(source, as, state, null, laid, offset)
}

/** A gateway appends, and may have been in the middle of a line. */
function hasGrown(opening: Opening, layout: Layout): boolean {
  return layout.lastLine > opening.lastLine || (layout.lastLine === opening.lastLine && layout.ended && !opening.ended)
}

/** Writes the incarnations of one session, the newest first: it brings the session, and the earlier ones join it. */
class SessionWriter {
  readonly #store: Store
  readonly #source: SessionSource
  readonly #key: SessionKey
  readonly #laid: readonly Laid[]
  readonly #nowMs: number

  constructor(store: Store, source: SessionSource, key: SessionKey, laid: readonly Laid[], nowMs: number) {
    this.#store = store
    this.#source = source
    this.#key = key
    this.#laid = laid
    this.#nowMs = nowMs
  }

  /** `before` is a number that was given already. Gives that before the first one's. */
  async putAll(before: number): Promise<number> {
    let offset = before
    await this.put(this.#laid.length - 1, offset)
    const session = await this.#store.readSession(this.#key)
    if (session !== null && session.transcript !== offset + this.#laid.length) {
      // a session with this key was deleted here once: numbers go on from that one's, and a lower one would not be the current one
      offset = session.transcript
      await removeSession(this.#store, this.#key, this.#nowMs)
      await this.put(this.#laid.length - 1, offset)
    }
    for (let at = this.#laid.length - 2; at >= 0; at -= 1) await this.put(at, offset)
    return offset
  }

  async put(at: number, offset: number): Promise<void> {
    const laid = this.#laid[at] as Laid
    const numbers = { own: offset + at + 1, current: offset + this.#laid.length }
    const header = headerOf(this.#standing(), laid.layout, numbers, startOf(laid, this.#nowMs))
    const origin = originOf(this.#source, laid, numbers.own === numbers.current, this.#nowMs)
    await putTranscript(
      this.#store,
      header,
      () => recordsOf(origin, laid.layout, linesOf(laid)),
      importOrigin,
      this.#nowMs,
    )
  }

  async compareAll(offset: number): Promise<string | null> {
    for (const [at] of this.#laid.entries()) {
      const difference = await this.compareNew(at, offset + at + 1)
      if (difference !== null) return difference
    }
    return null
  }

  /** What was written right now. */
  compareNew(at: number, number: number): Promise<string | null> {
    const isCurrent = at === this.#laid.length - 1
    const entry = isCurrent ? this.#source.entry : null
    const { file } = (this.#laid[at] as Laid).source
    return this.compare(at, number, { isContinued: false, importedAtMs: this.#nowMs, entry, file })
  }

  /** With what the opening that is there says of its import. */
  async compare(
    at: number,
    number: number,
    {
      isContinued,
      importedAtMs,
      entry,
      file,
    }: Pick<Opening, 'importedAtMs' | 'entry' | 'file'> & { isContinued: boolean },
  ): Promise<string | null> {
    const laid = this.#laid[at] as Laid
    const origin = { ...originOf(this.#source, laid, false, importedAtMs), entry, file }
    const expected = recordsOf(origin, laid.layout, linesOf(laid))
    return await compareTranscript(this.#store, this.#key, number, expected, { isContinued })
  }

  #standing() {
    const { title, usedAtMs, archivedAtMs } = this.#source
    const first = startOf(this.#laid[0] as Laid, this.#nowMs)
    const last = this.#laid.at(-1)?.layout.lastAtMs ?? null
    const name = title ?? this.#laid.at(-1)?.layout.name ?? null
    return {
      ...{ key: this.#key, state: archivedAtMs === null ? ('open' as const) : ('archived' as const), archivedAtMs },
      title: name === null ? null : cutText(name.toWellFormed(), titleLengthMax),
      createdAtMs: first,
      activeAtMs: Math.max(first, Math.min(usedAtMs ?? last ?? first, this.#nowMs)),
    }
  }
}

/** All rows of it are gone afterwards, so that its entries can be written again. */
async function removeSession(store: Store, key: SessionKey, atMs: number): Promise<void> {
  await store.deleteSession({ key, atMs })
  while (await store.purge({ rowsMax: 500 }));
}

function startOf({ source, layout }: Laid, nowMs: number): number {
  return Math.min(layout.firstAtMs ?? source.startedAtMs ?? nowMs, nowMs)
}

function reportOf(
  { agent, key, unread }: SessionSource,
  as: SessionKey,
  state: SessionState,
  because: string | null,
  laid: readonly Laid[],
  offset: number | null = null,
): SessionReport {
  const transcripts = laid.map(
    ({ source, layout }, at): TranscriptReport => ({
      number: offset === null ? null : offset + at + 1,
      source: source.file ?? source.sessionId,
      lines: layout.lastLine - layout.firstLine + 1,
      entries: layout.entries,
      ...layout.counts,
    }),
  )
  return { agent, key, as, state, partial: unread.length > 0, because, transcripts }
}

/** @throws HoldfastError IMPORT_MISMATCH for the first session that was not read back as it was written */
export function requireMatch(sessions: readonly SessionReport[]): void {
  const wrong = sessions.find(({ state }) => state === 'mismatch')
  if (wrong === undefined) return
  throw new HoldfastError('IMPORT_MISMATCH', { because: `${wrong.as}: ${wrong.because}` })
}
