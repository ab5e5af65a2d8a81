import { BundleWriter, type Frame, type FrameWriter } from '../../../archive/bundle.ts'
import type { ArchiveFolder } from '../../../archive/folder.ts'
import type { ItemName, ManifestItem } from '../../../archive/manifest.ts'
import type { SessionKey } from '../../../model/keys.ts'
import type { RetentionStep } from '../../../retention/steps.ts'
import type { ExportItem, ExportPart, TakenOut } from '../../../store/retention.ts'
import { dropExtra, type Keeping, rowOf } from './settle.ts'

export type TakeOutStep = Extract<RetentionStep, { kind: 'take out' }>

/** One bundle: small enough to be written anew for one transcript, and to let turns in between. A longer transcript has one alone. */
const bundleLimits = { transcripts: 128, bytes: 8 * 1024 * 1024 }
/** Of one export. What a thread hands over at once also waits for no one that long. */
const exportLimits = { items: 64, bytes: 512 * 1024 }

/** By one verb of the store: some 10 ms of the writer. */
const takenAtOnce = 32

interface Wanted extends ExportItem {
  step: TakeOutStep
  whole: boolean
}

interface Packed {
  item: ManifestItem
  stamp: string
}

export interface TakenBatch {
  taken: ManifestItem[]
  /** Not taken, and why. */
  stayed: (ItemName & { because: string })[]
  packedBytes: number
}

/** Transcripts that are to go, a bundle at a time. */
export class TakeOut {
  readonly #keeping: Keeping
  #queue: Wanted[]

  constructor(keeping: Keeping, steps: readonly TakeOutStep[]) {
    this.#keeping = keeping
    this.#queue = steps.flatMap((step) =>
      step.transcripts.map((transcript, at) => ({
        key: step.key,
        transcript,
        step,
        whole: step.whole && at === step.transcripts.length - 1,
      })),
    )
  }

  get isDone(): boolean {
    return this.#queue.length === 0
  }

  /**
   * Copies, announces, takes out, reports. After a crash anywhere in it each transcript is in the database or in the bundle, and
   * the next sweep finds out where.
   */
  async next(folder: ArchiveFolder, timed: <T>(act: Promise<T>) => Promise<T>): Promise<TakenBatch> {
    const { store, clock } = this.#keeping
    const file = folder.nextFile()
    await using writer = await BundleWriter.create(folder.path, file)
    const { packed, stayed } = await this.#pack(writer)
    if (packed.length === 0) return { taken: [], stayed, packedBytes: 0 }
    const items = packed.map(({ item }) => item)
    const { bytes, sha256 } = await writer.finish()
    await folder.append({ type: 'bundle', atMs: clock.nowMs(), file, bytes, sha256, replaces: null, items })
    const bundle = folder.state.bundles.get(file)
    if (bundle === undefined) throw new TypeError('the bundle was just announced')
    const atMs = clock.nowMs()
    const wanted = packed.map(({ item, stamp }) => {
      const { key, transcript } = item
      return { key, transcript, stamp, archived: rowOf(folder, bundle, item) }
    })
    const results: TakenOut[] = []
    for (let from = 0; from < wanted.length; from += takenAtOnce) {
      const items = wanted.slice(from, from + takenAtOnce)
      results.push(...(await timed(store.takeOut({ items, atMs }))))
    }
    const left = results.flatMap(({ key, transcript, id, because }: TakenOut) =>
      id === null ? [{ key, transcript, because: because ?? 'changed' }] : [],
    )
    const count = items.length - left.length
    await folder.append({ type: 'taken', atMs: clock.nowMs(), file, count, stayed: left })
    const taken = [...bundle.items]
    await dropExtra(this.#keeping, folder, bundle, 'nothing of it was taken out')
    return { taken, stayed: [...stayed, ...left], packedBytes: taken.reduce((sum, { length }) => sum + length, 0) }
  }

  async #pack(writer: BundleWriter): Promise<{ packed: Packed[]; stayed: TakenBatch['stayed'] }> {
    const packed: Packed[] = []
    const stayed: TakenBatch['stayed'] = []
    const staying = new Set<SessionKey>()
    let open: OpenFrame | null = null
    let bytes = 0
    const stay = (because: string) => {
      open?.frame.cancel()
      open = null
      const left = this.#queue.shift()
      if (left === undefined) return
      const { key, transcript } = left
      stayed.push({ key, transcript, because })
      if (because === 'gone') return
      // A session stays as a whole: its current transcript never goes before an earlier one.
      staying.add(key)
      const others = this.#queue.filter((each) => each.key === key)
      stayed.push(...others.map((other) => ({ key, transcript: other.transcript, because })))
      this.#queue = this.#queue.filter((each) => each.key !== key)
    }
    while (this.#queue.length > 0) {
      if (open === null && (packed.length >= bundleLimits.transcripts || bytes >= bundleLimits.bytes)) break
      const parts = await this.#export(bundleLimits.transcripts - packed.length)
      if (parts.length === 0) {
        for (let asked = Math.min(exportLimits.items, this.#queue.length); asked > 0; asked -= 1) stay('gone')
      }
      for (const part of parts) {
        if (staying.has(part.key)) continue
        while (this.#queue.length > 0 && !isSame(this.#queue[0] as Wanted, part)) stay('gone')
        const wanted = this.#queue[0]
        if (wanted === undefined) break
        open ??= openFrame(writer, part)
        if (open.stamp !== part.stamp) {
          stay('changed')
          continue
        }
        await addPart(open, part)
        bytes += part.text.length
        if (part.next !== null) {
          this.#queue[0] = { ...wanted, after: part.next }
          continue
        }
        packed.push({ item: itemOf(wanted, open, await open.frame.end()), stamp: part.stamp })
        open = null
        this.#queue.shift()
      }
    }
    return { packed, stayed }
  }

  #export(itemsMax: number): Promise<ExportPart[]> {
    const items = this.#queue
      .slice(0, Math.max(1, Math.min(exportLimits.items, itemsMax)))
      .map(({ key, transcript, after }) => ({ key, transcript, ...(after === undefined ? {} : { after }) }))
    return this.#keeping.store.exportTranscripts({ items, bytesMax: exportLimits.bytes })
  }
}

interface OpenFrame {
  frame: FrameWriter
  stamp: string
  entries: number
  firstAtMs: number | null
  lastAtMs: number | null
}

function openFrame(writer: BundleWriter, { stamp }: ExportPart): OpenFrame {
  return { frame: writer.begin(), stamp, entries: 0, firstAtMs: null, lastAtMs: null }
}

async function addPart(open: OpenFrame, part: ExportPart): Promise<void> {
  await open.frame.add(part.text)
  open.entries += part.entries
  open.firstAtMs ??= part.firstAtMs
  open.lastAtMs = part.lastAtMs ?? open.lastAtMs
}

const isSame = (a: ItemName, b: ItemName) => a.key === b.key && a.transcript === b.transcript

function itemOf({ key, transcript, step, whole }: Wanted, open: OpenFrame, frame: Frame): ManifestItem {
  const { entries, firstAtMs, lastAtMs } = open
  const times = { firstAtMs: firstAtMs ?? step.lastAtMs, lastAtMs: lastAtMs ?? step.lastAtMs }
  return { key, kind: step.sessionKind, transcript, whole, ...frame, entries, ...times, because: step.because }
}
