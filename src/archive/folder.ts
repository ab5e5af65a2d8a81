import { type FileHandle, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError } from '../host/files.ts'
import { type ArchivePlace, archivePlaces } from '../model/archives.ts'
import type { SessionKey } from '../model/keys.ts'
import { BundleWriter, temporaryEnding } from './bundle.ts'
import {
  createFile,
  damaged,
  ensureDirectory,
  isThere,
  namesIn,
  openForAppending,
  openForReading,
  removeFile,
  renameTo,
  requireDirectory,
  syncNames,
  writing,
} from './files.ts'
import { packedOf } from './frames.ts'
import {
  applyLine,
  type BundleState,
  bundlePattern,
  folderPattern,
  type ManifestItem,
  type ManifestLine,
  type ManifestState,
  manifestName,
  parseManifest,
  stateOf,
} from './manifest.ts'

/** Longer ones were not written here. Unit: bytes. */
const manifestBytesMax = 128 * 1024 * 1024

export interface FolderName {
  place: ArchivePlace
  folder: string
}

/** Folders of sweeps in both places, oldest first. Names of another shape are not ours and are left alone. */
export async function listFolders(root: string): Promise<FolderName[]> {
  const found: FolderName[] = []
  for (const place of archivePlaces) {
    const names = await namesIn(join(root, place), 'directories')
    found.push(...names.filter((name) => folderPattern.test(name)).map((folder) => ({ place, folder })))
  }
  return found.sort((a, b) => (a.folder < b.folder ? -1 : 1))
}

/** One folder with its manifest: whoever has it open is the only one who changes it. */
export class ArchiveFolder implements AsyncDisposable {
  readonly root: string
  readonly state: ManifestState
  /** Where it is now, which is another place than the manifest's while it is moved. */
  place: ArchivePlace
  #lines: ManifestLine[]
  /** Where the last whole line ends. */
  #bytes: number
  #handle: FileHandle | null = null

  private constructor(root: string, place: ArchivePlace, state: ManifestState, lines: ManifestLine[], bytes: number) {
    this.root = root
    this.place = place
    this.state = state
    this.#lines = lines
    this.#bytes = bytes
  }

  static async create(root: string, header: Extract<ManifestLine, { type: 'sweep' }>): Promise<ArchiveFolder> {
    const { place, folder } = header
    await ensureDirectory(join(root, place))
    await ensureDirectory(join(root, place, folder))
    const state = stateOf([header])
    if (state === null) throw new TypeError('a header makes a state')
    const made = new ArchiveFolder(root, place, state, [], 0)
    await made.append(header)
    await syncNames(made.path)
    await syncNames(join(root, place))
    await syncNames(root)
    return made
  }

  /**
   * Null where its making was interrupted before the first line: then no bundle is in it. Bundles without a line that
   * names the folder are damage, never nothing. @throws HoldfastError ARCHIVE_DAMAGED, STORE_PERMISSION, STORE_IO
   */
  static async open(root: string, { place, folder }: FolderName): Promise<ArchiveFolder | null> {
    const path = join(root, place, folder)
    for (const above of [join(root, place), path]) await requireDirectory(above)
    const file = join(path, manifestName)
    const text = parseManifest((await isThere(file)) ? await readWhole(file) : Buffer.alloc(0))
    if ('damagedLine' in text) throw damaged(file, `line ${text.damagedLine} cannot be read`)
    if (text.lines.length === 0) {
      const bundles = (await namesIn(path, 'files')).filter((name) => bundlePattern.test(name))
      if (bundles.length > 0) throw damaged(file, `it is gone, and ${bundles.length} bundles are there`)
      return null
    }
    const state = stateOf(text.lines)
    if (state === null || state.folder !== folder) throw damaged(file, 'it is not the manifest of this folder')
    return new ArchiveFolder(root, place, state, text.lines, text.bytes)
  }

  get name(): string {
    return this.state.folder
  }

  get path(): string {
    return join(this.root, this.place, this.name)
  }

  get manifestPath(): string {
    return join(this.path, manifestName)
  }

  /** Of the manifest and all bundles that it names. */
  get bytes(): number {
    return [...this.state.bundles.values()].reduce((sum, { bytes }) => sum + bytes, this.#bytes)
  }

  get items(): number {
    return [...this.state.bundles.values()].reduce((sum, { items }) => sum + items.length, 0)
  }

  pathOf(file: string): string {
    if (!bundlePattern.test(file)) throw damaged(this.path, 'a name that no bundle has')
    return join(this.path, file)
  }

  /** The line is on disk, and counts. */
  async append(line: ManifestLine): Promise<void> {
    const data = Buffer.from(`${JSON.stringify(line)}\n`)
    await writing(this.manifestPath, async () => {
      if (this.#handle === null) {
        this.#handle = await openForAppending(this.manifestPath)
        await this.#handle.truncate(this.#bytes) // a torn last line
      }
      try {
        await this.#handle.appendFile(data)
        await this.#handle.sync()
      } catch (error) {
        const handle = this.#handle
        this.#handle = null // so that the next line cuts back what this cannot
        await using _ = handle
        await handle.truncate(this.#bytes)
        throw error
      }
    })
    this.#bytes += data.length
    if (this.#lines.length > 0) applyLine(this.state, line)
    this.#lines.push(line)
  }

  /** A name that no bundle here has had. `from` keeps those of one sweep apart. */
  nextFile(): string {
    const numbers = this.#lines.flatMap((line) => ('file' in line ? [Number.parseInt(line.file, 10)] : []))
    return `${String(Math.max(0, ...numbers) + 1).padStart(4, '0')}.jsonl.zst`
  }

  /** Files that no line names: what an ended process had not announced. */
  async strays(): Promise<string[]> {
    return (await namesIn(this.path, 'files')).filter((name) => {
      if (name.endsWith(temporaryEnding)) return true
      return bundlePattern.test(name) && !this.state.bundles.has(name)
    })
  }

  async removeStrays(names: readonly string[]): Promise<void> {
    for (const name of names) await removeFile(join(this.path, name))
  }

  /** The bundle and its bytes are gone. */
  async removeBundle(file: string): Promise<void> {
    await removeFile(this.pathOf(file))
    await syncNames(this.path)
  }

  /** A new bundle, complete on disk, with the frames of these items only. What the manifest says of them is given back. */
  async copyFrames(
    bundle: BundleState,
    keep: readonly ManifestItem[],
  ): Promise<Extract<ManifestLine, { type: 'bundle' }>> {
    const file = this.nextFile()
    const path = this.pathOf(bundle.file)
    const handle = await openForReading(path)
    try {
      await using writer = await BundleWriter.create(this.path, file)
      const items: ManifestItem[] = []
      for (const item of keep) {
        const offset = writer.bytes
        for await (const data of packedOf(handle, path, item)) await writer.copy(data)
        items.push({ ...item, offset })
      }
      const { bytes, sha256 } = await writer.finish()
      return { type: 'bundle', atMs: this.state.lastAtMs, file, bytes, sha256, replaces: bundle.file, items }
    } finally {
      await handle.close()
    }
  }

  async moveTo(place: ArchivePlace): Promise<void> {
    await this.#close()
    await ensureDirectory(join(this.root, place))
    await renameTo(this.path, join(this.root, place, this.name))
    const from = this.place
    this.place = place
    await syncNames(join(this.root, place))
    await syncNames(join(this.root, from))
  }

  /** Writes the manifest anew without this session: not even its key stays. Its frames are gone before. */
  async forget(key: SessionKey): Promise<void> {
    const others = <Item extends { key: SessionKey }>(items: Item[]) => items.filter((item) => item.key !== key)
    const lines = this.#lines.map((line): ManifestLine => {
      if ('items' in line) return { ...line, items: others(line.items as ManifestItem[]) } as ManifestLine
      return 'stayed' in line ? { ...line, stayed: others(line.stayed) } : line
    })
    const data = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const temporary = this.manifestPath + temporaryEnding
    await this.#close()
    await removeFile(temporary)
    const handle = await createFile(temporary)
    try {
      await writing(temporary, async () => {
        await handle.appendFile(data)
        await handle.sync()
      })
    } finally {
      await handle.close()
    }
    await renameTo(temporary, this.manifestPath)
    await syncNames(this.path)
    this.#bytes = data.length
    this.#lines = lines
    for (const bundle of this.state.bundles.values()) {
      bundle.items = others(bundle.items)
      bundle.extra = others(bundle.extra)
    }
  }

  /** Whether any line names the session. */
  names(key: SessionKey): boolean {
    return this.#lines.some((line) => {
      const named: readonly { key: SessionKey }[] = 'items' in line ? line.items : 'stayed' in line ? line.stayed : []
      return named.some((item) => item.key === key)
    })
  }

  /** Nothing of it is left. */
  async remove(): Promise<void> {
    await this.#close()
    await removeFolder(this.root, { place: this.place, folder: this.name })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }

  async #close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = null
  }
}

/** Deletes our own files in it, and then it, unless something else is there. */
export async function removeFolder(root: string, { place, folder }: FolderName): Promise<void> {
  const path = join(root, place, folder)
  const isOurs = (name: string) => name === manifestName || name.endsWith(temporaryEnding) || bundlePattern.test(name)
  for (const name of (await namesIn(path, 'files')).filter(isOurs)) await removeFile(join(path, name))
  await writing(path, async () => {
    try {
      await rmdir(path)
    } catch (error) {
      if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error
    }
  })
  await syncNames(join(root, place))
}

async function readWhole(path: string): Promise<Buffer> {
  const handle = await openForReading(path)
  try {
    if ((await handle.stat()).size > manifestBytesMax) throw damaged(path, 'it is too long for a manifest')
    return await writing(path, () => handle.readFile())
  } finally {
    await handle.close()
  }
}
