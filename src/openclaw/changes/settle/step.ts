import { basename, dirname, join } from 'node:path'
import { isHoldfastError } from '../../../model/errors.ts'
import type { Attributes } from '../../files/create.ts'
import { sha256Of } from '../../files/digest.ts'
import { giveName } from '../../files/give-name.ts'
import { readChunks } from '../../files/lines.ts'
import { readMode } from '../../files/mode.ts'
import { type OpenFile, openAt } from '../../files/open.ts'
import { type Directory, openDirectory } from '../../files/place.ts'
import { overwrite } from '../../files/replace.ts'
import { recordOf } from '../desk.ts'
import { readFrame } from '../journal/bundle.ts'
import { openBundle } from '../journal/folder.ts'
import type { Announcement, FileRecord, Frame, ManifestLine, StepState } from '../journal/manifest.ts'
import { actualPath, refusalOf, rootOf, type Territory } from '../territory.ts'
import { isMixture } from './mixture.ts'

type Verdict = { done: true; now: FileRecord | null } | { done: false; because: string }

const notDone = (because: string): Verdict => ({ done: false, because })
const gone: Verdict = { done: true, now: null }

/**
 * Finds out which of its two ends a step has that was announced and not reported, and brings it there: a file that is half-way is put
 * back under its name where that is free. Can be interrupted and done again. Gives the line that reports it.
 */
export async function settleStep(home: Territory, run: string, state: StepState, atMs: number): Promise<ManifestLine> {
  const { told, undo } = state
  const { step } = told
  const verdict = await verdictOn(home, run, state)
  if (undo !== null && state.state === 'undoing')
    return verdict.done ? { type: 'undone', step, atMs } : { type: 'redone', step, atMs, because: verdict.because }
  if (verdict.done) return { type: 'done', step, atMs, now: verdict.now }
  return { type: 'left', step, atMs, left: 'interrupted', because: verdict.because }
}

async function verdictOn(home: Territory, run: string, state: StepState): Promise<Verdict> {
  const { told } = state
  const path = actualPath(home.dir, told.path)
  const refusal = refusalOf(home, path)
  if (refusal !== null) return notDone(refusal)
  const root = rootOf(home, path)
  const isUndo = state.state === 'undoing'
  if (told.type === 'mode') {
    const found = readMode(root, path)
    return found?.mode === (isUndo ? told.was : told.will) ? gone : notDone(interrupted)
  }
  using directory = openDirectory(root, dirname(path))
  if (directory === null) return notDone('its directory is gone')
  const scene = new Scene(home.dir, run, root, directory, basename(path))
  const verdict = isUndo ? await scene.judgeUndo(state) : await scene.judge(state)
  directory.sync()
  return verdict
}

const interrupted = 'it was interrupted'

/** One file of a step, and what may lie beside it. */
class Scene {
  readonly #home: string
  readonly #run: string
  readonly #root: string
  readonly #directory: Directory
  readonly #name: string

  constructor(home: string, run: string, root: string, directory: Directory, name: string) {
    this.#home = home
    this.#run = run
    this.#root = root
    this.#directory = directory
    this.#name = name
  }

  async judge(state: StepState): Promise<Verdict> {
    const { told } = state
    switch (told.type) {
      case 'take':
        return await this.#take(told)
      case 'replace':
        return await this.#replace(told, state.inPlace)
      case 'create':
        return await this.#create(told)
      case 'mode':
        throw new TypeError('permission bits have no file on its way')
    }
  }

  async judgeUndo({ told, undo, now, inPlace }: StepState): Promise<Verdict> {
    if (undo === null) throw new TypeError('it is not being undone')
    if (told.type === 'create') return await this.#takenBack(told, undo.aside, now)
    if (told.type === 'mode') throw new TypeError('permission bits have no file on its way')
    if (inPlace !== null) await this.#restoreIfTorn(undo.fresh, inPlace, attributesOf(now))
    this.#dropFresh(undo.fresh)
    const wanted = undo.will?.sha256 ?? told.copy.sha256
    using there = this.#look(this.#name)
    const isBack = there !== null && (await sha256Of(there)) === wanted
    return isBack ? gone : notDone('its undoing was interrupted')
  }

  async #take(told: Told<'take'>): Promise<Verdict> {
    if (this.#directory.has(told.aside)) return await this.#half(told.aside, told.copy.sha256)
    using there = this.#look(this.#name)
    return (await isStill(told.was, told.copy.sha256, there)) ? notDone(interrupted) : gone
  }

  /** Aside, and perhaps not yet proven to be the judged one. */
  async #half(aside: string, sha256: string): Promise<Verdict> {
    if (giveName(this.#directory, aside, this.#name))
      return notDone('it was interrupted, and the file is back in its place')
    using file = this.#look(aside)
    const where = join(this.#directory.path, aside)
    if (file === null || (await sha256Of(file)) !== sha256)
      return notDone(`it was interrupted; the file was changed meanwhile, so was its name: it is ${where}`)
    this.#directory.remove(aside)
    return gone
  }

  async #replace(told: Told<'replace'>, inPlace: Frame | null): Promise<Verdict> {
    if (inPlace !== null) await this.#restoreIfTorn(told.fresh, inPlace, attributesOf(told.was))
    const wasMade = this.#dropFresh(told.fresh)
    using there = this.#look(this.#name)
    if (there === null) return notDone('it was interrupted, and the file is gone')
    const isOld = isSameFile(told.was, there)
    const sha256 = await sha256Of(there)
    if (sha256 === told.will.sha256 && !(isOld && sha256 === told.copy.sha256))
      return { done: true, now: recordOf(there) }
    // Another file with other content: ours was there before it, unless ours had not got its name yet.
    return isOld || wasMade || sha256 === told.copy.sha256 ? notDone(interrupted) : gone
  }

  async #create(told: Told<'create'>): Promise<Verdict> {
    const wasMade = this.#dropFresh(told.fresh)
    using there = this.#look(this.#name)
    const isOurs = !wasMade && there !== null && (await sha256Of(there)) === told.will.sha256
    return isOurs ? { done: true, now: recordOf(there) } : notDone(interrupted)
  }

  /** What had been created was being taken away again. */
  async #takenBack(told: Told<'create'>, aside: string, now: FileRecord | null): Promise<Verdict> {
    if (this.#directory.has(aside)) return await this.#half(aside, told.will.sha256)
    using there = this.#look(this.#name)
    return (await isStill(now, told.will.sha256, there)) ? notDone(interrupted) : gone
  }

  /** Half of the one content and half of the other, as a kill leaves it where a name could not be given to another file. */
  async #restoreIfTorn(fresh: string, held: Frame, attributes: Attributes | null): Promise<void> {
    using there = this.#look(this.#name)
    using made = this.#look(fresh)
    if (there === null || made === null) return
    using bundle = await openBundle(this.#home, this.#run, held.file)
    if (!(await isMixture(there, readChunks(made), readFrame(bundle, held)))) return
    await overwrite(this.#directory, this.#name, there.identity, readFrame(bundle, held), attributes)
  }

  /** What was on its way is gone. True where it had not got its name yet. */
  #dropFresh(fresh: string): boolean {
    using made = this.#look(fresh)
    using there = this.#look(this.#name)
    this.#directory.remove(fresh)
    return made !== null && made.identity.ino !== there?.identity.ino
  }

  /** Null also where something stands that is no file: it is not ours. */
  #look(name: string): OpenFile | null {
    try {
      return openAt(this.#root, this.#directory, name)
    } catch (error) {
      if (isHoldfastError(error, 'HOME_UNSAFE')) return null
      throw error
    }
  }
}

type Told<Type extends Announcement['type']> = Extract<Announcement, { type: Type }>

/** The same file, or one with the same content, as after a home was copied. */
async function isStill(record: FileRecord | null, sha256: string, there: OpenFile | null): Promise<boolean> {
  if (there === null) return false
  return (record !== null && isSameFile(record, there)) || (await sha256Of(there)) === sha256
}

/** The same file, changed or not: a number is given again to a new file, which is younger. */
function isSameFile(record: FileRecord, file: OpenFile): boolean {
  const { dev, ino, bornNs } = recordOf(file)
  return record.dev === dev && record.ino === ino && record.bornNs === bornNs
}

function attributesOf(record: FileRecord): Attributes
function attributesOf(record: FileRecord | null): Attributes | null
function attributesOf(record: FileRecord | null): Attributes | null {
  if (record === null) return null
  const { mode, uid, gid, mtimeNs } = record
  return { mode, uid, gid, mtimeNs: BigInt(mtimeNs) }
}
