import { randomUUID } from 'node:crypto'
import { systemClock } from '../host/clock.ts'
import { isHoldfastError } from '../model/errors.ts'
import type { SessionKey } from '../model/keys.ts'
import type { AppendInput, ContextQuery, EntryQuery } from '../store/entries.ts'
import type { PutJobInput, StartJobInput } from '../store/jobs.ts'
import type { Store, StoreVerbs } from '../store/port.ts'
import type { ArchivedQuery, RetentionQuery } from '../store/retention.ts'
import type { SearchQuery, SessionQuery } from '../store/sessions.ts'
import type { CommitSummaryInput } from '../store/summaries.ts'
import type { AdmitInput, ClaimInput, RevokeInput, SettleInput, TurnQuery } from '../store/turns.ts'
import type { VerifyReport } from '../store/upkeep.ts'
import type { WaitQuery } from '../store/waits.ts'
import {
  entriesToStore,
  entryToModel,
  inboundToModel,
  jobToModel,
  jobToStore,
  requestToModel,
  requestToStore,
} from './bodies.ts'
import type { Lines } from './lines.ts'

/** Input of a verb of the port, by name. */
type InputOf<V extends keyof StoreVerbs> = Parameters<Store[V]>[0]

/** The port on a database: each verb goes to the thread that may do it. */
export class RelationalStore implements Store {
  readonly #lines: Lines
  readonly #atClose: () => void
  /** Names of claims whose outcome is unknown; the next claim asks with one of them and gets what it had taken. */
  readonly #doubtful = { turn: [] as string[], delivery: [] as string[] }

  constructor(lines: Lines, atClose: () => void) {
    this.#lines = lines
    this.#atClose = atClose
  }

  openSession = (input: InputOf<'openSession'>) => this.#lines.write('openSession', input)
  readSession = (key: SessionKey) => this.#lines.read('readSession', key)
  listSessions = (query: SessionQuery) => this.#lines.read('listSessions', query)
  patchSession = (input: InputOf<'patchSession'>) => this.#lines.write('patchSession', input)
  resetSession = (input: InputOf<'resetSession'>) => this.#lines.write('resetSession', input)
  archiveSession = (input: InputOf<'archiveSession'>) => this.#lines.write('archiveSession', input)

  async searchEntries(query: SearchQuery) {
    const { items, next } = await this.#lines.keep('searchEntries', query)
    return { items: items.map((hit) => ({ ...hit, entry: entryToModel(hit.entry) })), next }
  }

  appendEntries(input: AppendInput) {
    return this.#lines.write('appendEntries', { ...input, entries: entriesToStore(input.entries) })
  }

  async readEntries(query: EntryQuery) {
    const page = await this.#lines.read('readEntries', query)
    return { ...page, entries: page.entries.map(entryToModel) }
  }

  async readContext(query: ContextQuery) {
    const source = await this.#lines.read('readContext', query)
    return { ...source, entries: source.entries.map(entryToModel) }
  }

  admitTurn(input: AdmitInput) {
    return this.#lines.write('admitTurn', admissionToStore(input))
  }

  async claimTurn(input: ClaimInput) {
    const claimed = await this.#claim('turn', (claim) => this.#lines.write('claimTurn', { ...input, claim }))
    if (claimed === null) return null
    return { ...claimed, inbound: claimed.inbound.map(inboundToModel), request: requestToModel(claimed.request) }
  }

  recordProgress = (input: InputOf<'recordProgress'>) => this.#lines.write('recordProgress', input)

  settleTurn(input: SettleInput) {
    return this.#lines.write('settleTurn', { ...input, entries: entriesToStore(input.entries) })
  }

  requeueTurn = (input: InputOf<'requeueTurn'>) => this.#lines.write('requeueTurn', input)
  cancelTurn = (input: InputOf<'cancelTurn'>) => this.#lines.write('cancelTurn', input)
  revokeTurn = (input: RevokeInput) => this.#lines.write('revokeTurn', input)
  quarantineTurn = (input: InputOf<'quarantineTurn'>) => this.#lines.write('quarantineTurn', input)

  async readTurn(turnId: string) {
    const found = await this.#lines.read('readTurn', turnId)
    if (found === null) return null
    const { turn, inbound, request, reply } = found
    return {
      turn,
      inbound: inbound.map(inboundToModel),
      request: requestToModel(request),
      reply: reply.map(entryToModel),
    }
  }

  listTurns = (query: TurnQuery) => this.#lines.read('listTurns', query)
  listLeases = () => this.#lines.read('listLeases', null)
  listWaits = (query: WaitQuery) => this.#lines.read('listWaits', query)
  readLanes = () => this.#lines.read('readLanes', null)
  readQueue = (key: SessionKey) => this.#lines.read('readQueue', key)
  readTurnStates = (query: InputOf<'readTurnStates'>) => this.#lines.read('readTurnStates', query)

  get shared(): boolean {
    return this.#lines.shared
  }

  get clockAheadMs(): number {
    return this.#lines.clockAheadMs
  }

  announce = (input: InputOf<'announce'>) => this.#lines.others.announce(input)
  listHolders = () => this.#lines.others.listHolders()
  takeDuty = (input: InputOf<'takeDuty'>) => this.#lines.others.takeDuty(input)
  expireLapsed = (input: InputOf<'expireLapsed'>) => this.#lines.write('expireLapsed', input)
  expireLeases = (input: InputOf<'expireLeases'>) => this.#lines.write('expireLeases', input)

  recordStart = (input: InputOf<'recordStart'>) => this.#lines.write('recordStart', input)
  recordEnd = (input: InputOf<'recordEnd'>) => this.#lines.write('recordEnd', input)
  listStarts = () => this.#lines.read('listStarts', null)
  inspectSession = (input: InputOf<'inspectSession'>) => this.#lines.read('inspectSession', input)
  repairSession = (input: InputOf<'repairSession'>) => this.#lines.write('repairSession', input)
  listQuarantined = (query: InputOf<'listQuarantined'>) => this.#lines.read('listQuarantined', query)
  releaseTurn = (input: InputOf<'releaseTurn'>) => this.#lines.write('releaseTurn', input)

  commitSummary = (input: CommitSummaryInput) => this.#lines.write('commitSummary', input)
  undoSummary = (input: InputOf<'undoSummary'>) => this.#lines.write('undoSummary', input)
  listSummaries = (key: SessionKey) => this.#lines.read('listSummaries', key)

  async claimDelivery(input: InputOf<'claimDelivery'>) {
    const claimed = await this.#claim('delivery', (claim) => this.#lines.write('claimDelivery', { ...input, claim }))
    return claimed === null ? null : { ...claimed, reply: claimed.reply.map(entryToModel) }
  }

  listUnsent = (input: InputOf<'listUnsent'>) => this.#lines.read('listUnsent', input)
  settleDelivery = (input: InputOf<'settleDelivery'>) => this.#lines.write('settleDelivery', input)
  markUnknownDeliveries = (input: InputOf<'markUnknownDeliveries'>) => this.#lines.write('markUnknownDeliveries', input)

  async putJob(input: PutJobInput) {
    return jobToModel(await this.#lines.write('putJob', { ...input, job: jobToStore(input.job) }))
  }

  removeJob = (input: InputOf<'removeJob'>) => this.#lines.write('removeJob', input)

  async readJob(id: string) {
    const found = await this.#lines.read('readJob', id)
    return found === null ? null : jobToModel(found)
  }

  async listJobs(query: InputOf<'listJobs'>) {
    const { items, next } = await this.#lines.read('listJobs', query)
    return { items: items.map(jobToModel), next }
  }

  switchJob = async (input: InputOf<'switchJob'>) => jobToModel(await this.#lines.write('switchJob', input))

  async dueJobs(query: InputOf<'dueJobs'>) {
    const { items, ...rest } = await this.#lines.read('dueJobs', query)
    return { items: items.map(jobToModel), ...rest }
  }

  moveJob = (input: InputOf<'moveJob'>) => this.#lines.write('moveJob', input)

  async startJob(input: StartJobInput) {
    const admission = admissionToStore(input.admission)
    const { job, turn } = await this.#lines.write('startJob', { ...input, admission })
    return { job: jobToModel(job), turn }
  }

  async statistics() {
    const { writable, fencedWrites, logPinned } = this.#lines
    return { ...(await this.#lines.read('statistics', null)), writable, fencedWrites, logPinned }
  }

  probe = () => this.#lines.write('probe', { atMs: systemClock.nowMs() })

  async verify(input: InputOf<'verify'>): Promise<VerifyReport> {
    const report = await this.#lines.keep('verify', input)
    try {
      await this.#lines.write('recordVerify', { atMs: input.atMs, ok: report.ok })
    } catch (error) {
      if (!isHoldfastError(error)) throw error // the finding counts, also where it cannot be written down
    }
    return report
  }

  readRetention = (query: RetentionQuery) => this.#lines.read('readRetention', query)
  exportTranscripts = (input: InputOf<'exportTranscripts'>) => this.#lines.read('exportTranscripts', input)
  takeOut = (input: InputOf<'takeOut'>) => this.#lines.write('takeOut', input)
  purge = (input: InputOf<'purge'>) => this.#lines.write('purge', input)
  putBack = (input: InputOf<'putBack'>) => this.#lines.write('putBack', input)
  listArchived = (query: ArchivedQuery) => this.#lines.read('listArchived', query)
  enterArchived = (input: InputOf<'enterArchived'>) => this.#lines.write('enterArchived', input)
  moveArchived = (input: InputOf<'moveArchived'>) => this.#lines.write('moveArchived', input)
  dropArchived = (input: InputOf<'dropArchived'>) => this.#lines.write('dropArchived', input)
  deleteSession = (input: InputOf<'deleteSession'>) => this.#lines.write('deleteSession', input)

  async addEvent(input: InputOf<'addEvent'>) {
    return entryToModel(await this.#lines.write('addEvent', input))
  }

  noteClock = (input: InputOf<'noteClock'>) => this.#lines.write('noteClock', input)
  giveBack = (input: InputOf<'giveBack'>) => this.#lines.tend('giveBack', input)
  scrub = () => this.#lines.tend('scrub', null)

  backup = (input: InputOf<'backup'>) => this.#lines.keep('backup', input)
  close = () => this.#lines.close(this.#atClose)

  async #claim<T>(of: 'turn' | 'delivery', ask: (claim: string) => Promise<T>): Promise<T> {
    const claim = this.#doubtful[of].pop() ?? randomUUID()
    try {
      return await ask(claim)
    } catch (error) {
      if (isHoldfastError(error, 'STORE_IO')) this.#doubtful[of].push(claim)
      throw error
    }
  }
}

const admissionToStore = (input: AdmitInput) => ({
  ...input,
  messages: JSON.stringify(input.messages),
  request: requestToStore(input.request),
})
