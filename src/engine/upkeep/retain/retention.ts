import { ArchiveFolder, type FolderName, listFolders, removeFolder } from '../../../archive/folder.ts'
import { Shelves } from '../../../archive/shelves.ts'
import { randomId } from '../../../host/random.ts'
import type { ArchivedTranscript } from '../../../model/archives.ts'
import { HoldfastError, isHoldfastError, recordOf } from '../../../model/errors.ts'
import type { SessionKey } from '../../../model/keys.ts'
import { formatDuration } from '../../../model/units.ts'
import type { ClockVerdict } from '../../../retention/clock.ts'
import { anchorClock, type ClockAnchor, type ClockReading, judgeClock, observeClock } from '../../../retention/clock.ts'
import { sweepEveryMinMs } from '../../../retention/policy.ts'
import type { Page } from '../../../store/page.ts'
import type { Ground } from '../../ground.ts'
import { pause } from '../../waiting.ts'
import { type DeletedForever, deleteForever } from './forever.ts'
import { type PutBackReport, putBack, verifyArchived } from './put-back.ts'
import type { RetentionState, SweepEvent, SweepOptions, SweepReport } from './report.ts'
import { type ArchivedHit, type ArchivedSearch, searchArchives } from './search.ts'
import { deleteFolder, indexOf, type Keeping, settleFolder } from './settle.ts'
import { Sweep } from './sweep.ts'
import { warnPeople } from './warn.ts'

/** A start has better things to do first. */
const firstSweepMs = 5 * 60_000

/** What is kept and what goes: sweeps on a schedule and by hand, and every way back. One of these at a time. */
export class Retention {
  readonly #ground: Ground
  readonly #shelves: Shelves | null
  readonly #start: ClockReading
  readonly #stopping = new AbortController()
  #anchor: Promise<ClockAnchor> | null = null
  #verdict: ClockVerdict | null = null
  #busy = false
  #settled = false
  #last: SweepReport | null = null
  #endedSteadyMs: number | null = null
  #nextAtMs: number | null = null

  /** `directory` is to hold `archives/` and `trash/`; null: nothing is ever taken out. */
  constructor(ground: Ground, directory: string | null) {
    this.#ground = ground
    this.#shelves = directory === null ? null : new Shelves(directory)
    this.#start = this.#reading()
  }

  /** Sweeps every `retention.everyMs`, as its mode says, until `stop`. */
  begin(): void {
    if (this.#shelves === null) return
    const { background, clock, settings } = this.#ground
    background.insist('retention', async () => {
      await this.#judge() // before this process has written much, which would hide a gap
      for (let waitMs = firstSweepMs; ; waitMs = settings.retention.everyMs) {
        this.#nextAtMs = clock.nowMs() + waitMs
        if (!(await pause(clock, waitMs, this.#stopping.signal))) return
        await this.#tick()
      }
    })
  }

  /** What is under way ends after its batch. */
  stop(): void {
    this.#stopping.abort()
  }

  get state(): RetentionState {
    return {
      mode: this.#ground.settings.retention.mode,
      directory: this.#shelves?.root ?? null,
      busy: this.#busy,
      last: this.#last,
      nextAtMs: this.#nextAtMs,
      clock: this.#verdict,
      damaged: [...(this.#shelves?.damaged ?? [])],
    }
  }

  /**
   * A sweep, told step by step; with `apply: false` the same, with nothing changed. Who stops reading stops it after its batch.
   * @throws HoldfastError RETENTION_BUSY within five minutes of the last one, CLOCK_SUSPECT
   */
  async *sweep(options: SweepOptions): AsyncGenerator<SweepEvent, void, undefined> {
    if (options.apply) this.#checkRested()
    using _ = this.#take()
    yield* this.#sweep(options)
  }

  /**
   * Puts back everything that is still archived of a sweep, a folder of it, or the folder of a manifest.
   * @throws HoldfastError ARCHIVE_NOT_FOUND, ARCHIVE_DAMAGED (nothing was changed), RETENTION_BUSY
   */
  async undo(name: string): Promise<PutBackReport> {
    using _ = this.#take()
    const keeping = this.#keeping()
    const found = await this.#shelvesOrThrow().find(name)
    const report: PutBackReport = { restored: [], conflicts: [] }
    for (const each of found) {
      await using folder = await ArchiveFolder.open(keeping.root, each)
      if (folder === null) continue
      await settleFolder(keeping, folder, true)
      await verifyArchived(keeping, folder, () => true)
    }
    for (const each of found.reverse()) {
      await using folder = await ArchiveFolder.open(keeping.root, each)
      if (folder === null) continue
      const { restored, conflicts } = await putBack(keeping, folder, () => true)
      report.restored.push(...restored)
      report.conflicts.push(...conflicts)
    }
    this.#ground.log.info({ folders: found.length, transcripts: report.restored.length }, 'a sweep was undone')
    return report
  }

  /** @throws HoldfastError ARCHIVE_NOT_FOUND, ARCHIVE_DAMAGED, ARCHIVE_CONFLICT (nothing was changed), RETENTION_BUSY */
  async restore(id: number): Promise<ArchivedTranscript> {
    using _ = this.#take()
    const keeping = this.#keeping()
    const [row, name] = await this.#find(id)
    await using folder = await ArchiveFolder.open(keeping.root, name)
    if (folder === null) throw new HoldfastError('ARCHIVE_NOT_FOUND', { id })
    await settleFolder(keeping, folder, true)
    await verifyArchived(keeping, folder, (each) => each.id === id)
    const { conflicts } = await putBack(keeping, folder, (each) => each.id === id)
    if (conflicts.length > 0) throw new HoldfastError('ARCHIVE_CONFLICT', { sessionKey: row.sessionKey, id })
    return row
  }

  /** Deletes for good all that is in the trash, or one folder of it. @throws HoldfastError ARCHIVE_NOT_FOUND, RETENTION_BUSY */
  async emptyTrash(): Promise<{ transcripts: number; bytes: number }> {
    using _ = this.#take()
    const keeping = this.#keeping()
    const emptied = { transcripts: 0, bytes: 0 }
    for (const name of (await listFolders(keeping.root)).filter(({ place }) => place === 'trash')) {
      await this.#unlessDamaged(name, async (folder) => {
        if (folder.items === 0) return
        const { items, bytes } = folder
        await deleteFolder(keeping, folder, 'asked for')
        emptied.transcripts += items
        emptied.bytes += bytes
      })
    }
    return emptied
  }

  /** No copy of the session stays in the store or the archives. @throws HoldfastError SESSION_NOT_FOUND, SESSION_BUSY, RETENTION_BUSY */
  async deleteForever(key: SessionKey): Promise<DeletedForever> {
    using _ = this.#take()
    return await deleteForever(this.#keeping(), key)
  }

  /** Reads only, beside whatever goes on. @throws HoldfastError CURSOR_INVALID */
  search(query: ArchivedSearch, signal: AbortSignal): Promise<Page<ArchivedHit>> {
    return searchArchives(this.#keeping(), query, signal)
  }

  async #tick(): Promise<void> {
    const { mode } = this.#ground.settings.retention
    if (mode === 'off') {
      await this.#judge()
      return
    }
    if (this.#busy || this.#restMs() > 0) return
    const { store, holder } = this.#ground
    if (!(await store.takeDuty({ duty: 'retention', holderId: holder.id }))) return // another process does it
    using _ = this.#take()
    for await (const _ of this.#sweep({ apply: mode === 'enforce', trustClock: false, scheduled: true })) {
      // it is told by its report
    }
  }

  async *#sweep(options: SweepOptions & { scheduled?: true }): AsyncGenerator<SweepEvent, void, undefined> {
    const { log, settings, events, telemetry, clock } = this.#ground
    const keeping = this.#keeping()
    const shelves = this.#shelvesOrThrow()
    const judge = () => this.#judge(options.apply && options.trustClock)
    const verdict = await judge()
    if (verdict.kind === 'suspect') {
      log.warn({ because: verdict.because }, 'the clock is not trusted: nothing is taken out')
      if (options.scheduled === true) return
      if (options.apply) throw new HoldfastError('CLOCK_SUSPECT', { because: verdict.because })
    }
    if (options.apply) await this.#settleFolders(keeping)
    const sweep = new Sweep(
      {
        keeping,
        shelves,
        policy: settings.retention,
        signal: this.#stopping.signal,
        judge,
        turnsWait: async () => (await keeping.store.statistics()).turnsQueued > 0 && this.#nextAtMs !== null,
      },
      sweepNameOf(clock.nowMs()),
      options.apply,
      verdict,
    )
    try {
      yield* sweep.run()
    } finally {
      if (options.apply) this.#endedSteadyMs = clock.steadyMs()
      if (options.apply || options.scheduled === true) {
        this.#last = sweep.report
        telemetry.swept(sweep.report)
        const { sessions, transcripts, bytes, deleted, stayed, worstStepMs } = sweep.report
        log.info(
          { applied: options.apply, sessions, transcripts, bytes, deleted, stayed, worstStepMs },
          'a sweep has ended',
        )
        events.publish({ type: 'retention.swept', applied: options.apply, sessions, transcripts, bytes, deleted })
      }
    }
    if (options.scheduled === true) await warnPeople(this.#ground, sweep.report)
  }

  /** What an ended process left half done. The first time all folders are compared with the index. */
  async #settleFolders(keeping: Keeping): Promise<void> {
    for (const name of await listFolders(keeping.root)) {
      await this.#unlessDamaged(name, (folder) => settleFolder(keeping, folder, !this.#settled))
    }
    this.#settled = true
  }

  /** A folder whose making was interrupted is removed; what is damaged is told, and left alone. */
  async #unlessDamaged(name: FolderName, act: (folder: ArchiveFolder) => Promise<void>): Promise<void> {
    const { root, log } = this.#keeping()
    try {
      await using folder = await ArchiveFolder.open(root, name)
      if (folder === null) await removeFolder(root, name)
      else await act(folder)
    } catch (error) {
      if (!isHoldfastError(error, 'ARCHIVE_DAMAGED')) throw error
      log.error({ ...recordOf(error) }, 'a folder of archives is damaged, and left alone')
    }
  }

  /** Notes the time where it can be trusted. */
  async #judge(trusted = false): Promise<ClockVerdict> {
    const { store } = this.#ground
    const { clock } = await store.readRetention({ limit: 1, activeBeforeMs: 0 })
    this.#anchor ??= Promise.resolve(anchorClock(this.#start, clock))
    const reading = this.#reading()
    const observed = observeClock(await this.#anchor, reading)
    const anchor = trusted ? { ...reading, suspicion: null } : observed
    this.#anchor = Promise.resolve(anchor)
    this.#verdict = trusted ? { kind: 'sane' } : judgeClock(anchor, reading, clock)
    if (this.#verdict.kind === 'sane') await store.noteClock({ atMs: reading.wallMs })
    return this.#verdict
  }

  #reading(): ClockReading {
    return { wallMs: this.#ground.clock.nowMs(), steadyMs: this.#ground.clock.steadyMs() }
  }

  #checkRested(): void {
    const retryAfterMs = this.#restMs()
    if (retryAfterMs <= 0) return
    const because = `one has just ended, the next may begin in ${formatDuration(retryAfterMs)}`
    throw new HoldfastError('RETENTION_BUSY', { because }, { retryAfterMs })
  }

  #restMs(): number {
    return this.#endedSteadyMs === null ? 0 : this.#endedSteadyMs + sweepEveryMinMs - this.#ground.clock.steadyMs()
  }

  #take(): Disposable {
    if (this.#busy) throw new HoldfastError('RETENTION_BUSY', { because: 'one is going on' }, { retryAfterMs: 5_000 })
    this.#busy = true
    return {
      [Symbol.dispose]: () => {
        this.#busy = false
      },
    }
  }

  #keeping(): Keeping {
    const { store, clock, log } = this.#ground
    return { store, clock, log, root: this.#shelvesOrThrow().root }
  }

  #shelvesOrThrow(): Shelves {
    if (this.#shelves === null) {
      throw new HoldfastError('CONFIG_INVALID', { because: 'there is no directory for archives' })
    }
    return this.#shelves
  }

  async #find(id: number): Promise<[ArchivedTranscript, FolderName]> {
    for (const name of await listFolders(this.#keeping().root)) {
      const row = (await indexOf(this.#keeping(), name.folder)).find((each) => each.id === id)
      if (row !== undefined) return [row, name]
    }
    throw new HoldfastError('ARCHIVE_NOT_FOUND', { id })
  }
}

/** Sorts by time; the rest keeps two sweeps of one second apart. */
function sweepNameOf(nowMs: number): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  return `${time}-${randomId().slice(0, 8)}`
}
