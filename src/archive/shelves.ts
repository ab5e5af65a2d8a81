import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isSystemError } from '../host/files.ts'
import type { ArchivePlace } from '../model/archives.ts'
import { HoldfastError, isHoldfastError } from '../model/errors.ts'
import { ArchiveFolder, type FolderName, listFolders } from './folder.ts'
import { folderPattern, manifestName } from './manifest.ts'

/** What is known of one folder without opening it again. */
export interface ShelvedFolder {
  place: ArchivePlace
  folder: string
  sinceMs: number
  expiresAtMs: number | null
  bytes: number
  transcripts: number
}

/** The folders of a data directory. Manifests are read again only where they have changed. */
export class Shelves {
  readonly root: string
  readonly #known = new Map<string, { stamp: string; found: ShelvedFolder | null }>()
  /** Paths of folders that cannot be read. */
  readonly damaged = new Set<string>()

  constructor(root: string) {
    this.root = root
  }

  /** Oldest first. What is damaged is left out, and named in `damaged`. */
  async read(): Promise<ShelvedFolder[]> {
    const names = await listFolders(this.root)
    const found: ShelvedFolder[] = []
    const present = new Set<string>()
    for (const name of names) {
      const path = join(name.place, name.folder)
      present.add(path)
      const folder = await this.#factsOf(name, path)
      if (folder !== null) found.push(folder)
    }
    for (const path of this.#known.keys()) if (!present.has(path)) this.#known.delete(path)
    for (const path of this.damaged) if (!present.has(path)) this.damaged.delete(path)
    return found
  }

  async #factsOf(name: FolderName, path: string): Promise<ShelvedFolder | null> {
    const stamp = await stampOf(join(this.root, path, manifestName))
    const known = this.#known.get(path)
    if (stamp !== null && known?.stamp === stamp) return known.found
    this.damaged.delete(path)
    try {
      await using folder = await ArchiveFolder.open(this.root, name)
      const found = folder === null ? null : shelved(folder)
      if (stamp !== null) this.#known.set(path, { stamp, found })
      return found
    } catch (error) {
      if (!isHoldfastError(error, 'ARCHIVE_DAMAGED')) throw error
      this.damaged.add(path)
      return null
    }
  }

  /**
   * Folders that a person means: a folder, a sweep (all its folders), or the path of a manifest or of its folder.
   * @throws HoldfastError ARCHIVE_NOT_FOUND
   */
  async find(text: string): Promise<FolderName[]> {
    const [last = '', before] = text
      .replace(/[/\\]+$/, '')
      .split(/[/\\]/)
      .reverse()
    const name = last === manifestName ? (before ?? '') : last
    const isMeant = ({ folder }: FolderName) => folder === name || folder.startsWith(`${name}-`)
    const looksRight = folderPattern.test(name) || folderPattern.test(`${name}-1`)
    const found = looksRight ? (await listFolders(this.root)).filter(isMeant) : []
    if (found.length === 0) throw new HoldfastError('ARCHIVE_NOT_FOUND', { because: name === '' ? 'no name' : name })
    return found
  }
}

function shelved(folder: ArchiveFolder): ShelvedFolder {
  const { place, state, bytes, items } = folder
  const sinceMs = items === 0 ? state.lastAtMs : state.sinceMs
  return { place, folder: folder.name, sinceMs, expiresAtMs: state.expiresAtMs, bytes, transcripts: items }
}

async function stampOf(path: string): Promise<string | null> {
  try {
    const { size, mtimeMs, ino } = await stat(path)
    return `${ino} ${size} ${mtimeMs}`
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null
    throw error
  }
}
