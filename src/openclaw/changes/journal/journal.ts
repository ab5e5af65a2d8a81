import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import { ensureDirectory, requireDirectory } from '../../files/create.ts'
import { readLines } from '../../files/lines.ts'
import { openInside } from '../../files/open.ts'
import { OwnFile } from '../../files/own/own-file.ts'
import { BundleWriter } from './bundle.ts'
import { archivesOf, folderOf, listBundles, manifestOf, removeRun } from './folder.ts'
import {
  beginState,
  fold,
  type ManifestLine,
  manifestName,
  parseLine,
  type RunLine,
  type RunState,
} from './manifest.ts'

/** Longer lines were not written here. Unit: bytes. */
const lineBytesMax = 512 * 1024

/** The journal of one run, open for writing. Who has it holds the writer's lock of the home. */
export class Journal implements AsyncDisposable {
  readonly home: string
  readonly run: string
  /** Nothing was announced. */
  isEmpty = true
  readonly #file: OwnFile
  #lastIsSettled = true
  #bundles: number
  #owed: ManifestLine[] = []

  private constructor(home: string, run: string, file: OwnFile, bundles: number) {
    this.home = home
    this.run = run
    this.#file = file
    this.#bundles = bundles
  }

  static async begin(home: string, header: RunLine): Promise<Journal> {
    ensureDirectory(home, archivesOf(home))[Symbol.dispose]()
    using folder = ensureDirectory(home, folderOf(home, header.run))
    const journal = new Journal(home, header.run, await OwnFile.open(folder, manifestName), 0)
    try {
      await journal.append(header)
      folder.sync()
      return journal
    } catch (error) {
      await journal[Symbol.asyncDispose]()
      await removeRun(home, header.run)
      throw error
    }
  }

  /** What an ended process left half-written at the end is cut back. @throws HoldfastError MANIFEST_INVALID */
  static async resume(home: string, run: string): Promise<{ journal: Journal; state: RunState }> {
    const { state, bytes } = await readRun(home, run)
    using folder = requireDirectory(home, folderOf(home, run))
    const numbers = (await listBundles(home, run)).map(({ name }) => Number.parseInt(name, 10))
    const file = await OwnFile.open(folder, manifestName)
    const journal = new Journal(home, run, file, Math.max(0, ...numbers))
    try {
      if (file.bytes > bytes) await file.cutBack(bytes)
    } catch (error) {
      await journal[Symbol.asyncDispose]()
      throw error
    }
    journal.#lastIsSettled = state.settled
    journal.isEmpty = state.steps.size === 0
    return { journal, state }
  }

  get path(): string {
    return this.#file.path
  }

  get folder(): string {
    return folderOf(this.home, this.run)
  }

  /** They are on disk, or none of them is. @throws HoldfastError STORE_FULL, STORE_IO */
  async append(...told: ManifestLine[]): Promise<void> {
    const lines = [...this.#owed, ...told]
    if (lines.length === 0) return
    const start = this.#file.bytes
    await this.#file.append(Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')))
    try {
      await this.#file.sync()
    } catch (error) {
      await this.#file.cutBack(start)
      throw error
    }
    this.#owed = []
    this.isEmpty &&= lines.every(({ type }) => type === 'run')
    this.#lastIsSettled = lines.at(-1)?.type === 'settled'
  }

  /** What is done cannot fail for want of room: it is told with the next lines, or found out by `settle`. */
  async report(...lines: ManifestLine[]): Promise<void> {
    await this.#orOwe(lines)
  }

  /** Called when everything that was announced is done and reported. */
  async settled(atMs: number): Promise<void> {
    if (!this.#lastIsSettled) await this.#orOwe([{ type: 'settled', atMs }])
  }

  async #orOwe(lines: ManifestLine[]): Promise<void> {
    try {
      await this.append(...lines)
    } catch (error) {
      if (!isHoldfastError(error, 'STORE_FULL')) throw error
      this.#owed.push(...lines)
    }
  }

  /** The run has changed nothing: nothing is left of it. */
  async discard(): Promise<void> {
    await removeRun(this.home, this.run)
  }

  async newBundle(): Promise<BundleWriter> {
    this.#bundles += 1
    const name = `${String(this.#bundles).padStart(4, '0')}.zst`
    using folder = requireDirectory(this.home, this.folder)
    const writer = new BundleWriter(name, await OwnFile.open(folder, name))
    folder.sync()
    return writer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]()
  }
}

/**
 * What the manifest says, and where its last whole line ends, in bytes.
 * @throws HoldfastError MANIFEST_INVALID, ARCHIVE_NOT_FOUND where there is none
 */
export async function readRun(home: string, run: string): Promise<{ state: RunState; bytes: number }> {
  const path = manifestOf(home, run)
  using file = await openInside(home, path)
  if (file === null) throw new HoldfastError('ARCHIVE_NOT_FOUND', { because: path })
  const invalid = (number: number, because: string) =>
    new HoldfastError('MANIFEST_INVALID', { because: `${path}, line ${number}: ${because}` })
  let state: RunState | null = null
  let bytes = 0
  let torn: number | null = null
  for await (const { number, offset, data, ended, bytes: length } of readLines(file, { lineBytesMax })) {
    const line = data === null || !ended ? undefined : parseLine(data)
    if (line === undefined) {
      if (data !== null && ended && isJson(data)) throw invalid(number, 'another version wrote it')
      torn ??= number
      continue
    }
    if (torn !== null) throw invalid(torn, 'it cannot be read')
    bytes = offset + length + 1
    if (state !== null) {
      if (!fold(state, line)) throw invalid(number, 'it cannot stand there')
    } else if (line.type === 'run' && line.run === run) state = beginState(line)
    else throw invalid(number, 'it does not begin the manifest of this folder')
  }
  if (state === null) throw invalid(1, 'it has no beginning')
  return { state, bytes }
}

/** What is torn was one line, or several that were written at once and of which none is whole. */
function isJson(data: Buffer): boolean {
  try {
    JSON.parse(data.toString('utf8'))
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}
