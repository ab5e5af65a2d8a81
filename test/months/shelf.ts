import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type FolderName, listFolders } from '../../src/archive/folder.ts'
import { readFrame } from '../../src/archive/frames.ts'
import {
  applyLine,
  type ManifestItem,
  type ManifestLine,
  type ManifestState,
  manifestName,
  parseManifest,
  stateOf,
} from '../../src/archive/manifest.ts'

/** A transcript that left the database, by a manifest. */
export interface Taking extends ManifestItem {
  folder: string
  /** When it was announced: it went in the same moment. */
  atMs: number
}

interface Folder {
  name: FolderName
  lines: ManifestLine[]
  stamp: string
  size: number
  isThere: boolean
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Copies what has changed: an emptied manifest is removed after as long as trash is kept. For a moment at which nothing is done to them. */
export function keepManifests(root: string, copies: string): void {
  mkdirSync(copies, { recursive: true })
  for (const place of readdirSync(root).filter((name) => name === 'archives' || name === 'trash')) {
    for (const folder of readdirSync(join(root, place))) {
      const [path, copy] = [join(root, place, folder, manifestName), join(copies, folder)]
      if (sizeOf(path) > sizeOf(copy)) copyFileSync(path, copy)
    }
  }
}

/** All manifests that there ever were, as they were seen last. */
export class Shelf {
  readonly #root: string
  readonly #copies: string
  readonly #folders = new Map<string, Folder>()

  constructor(root: string) {
    this.#root = root
    this.#copies = `${root}.manifests`
    mkdirSync(this.#copies, { recursive: true })
  }

  async look(): Promise<void> {
    for (const folder of this.#folders.values()) folder.isThere = false
    for (const name of await listFolders(this.#root)) {
      const path = join(this.#root, name.place, name.folder, manifestName)
      const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 }
      const stamp = `${size} ${mtimeMs}`
      const known = this.#folders.get(name.folder)
      if (known?.stamp === stamp) {
        Object.assign(known, { name, isThere: true })
        continue
      }
      this.#read(name, path, stamp, true)
    }
    const copies = readdirSync(this.#copies)
    for (const folder of copies.filter((each) => this.#folders.get(each)?.isThere !== true)) {
      const stamp = `copy ${sizeOf(join(this.#copies, folder))}`
      const known = this.#folders.get(folder)
      const isMore = known === undefined || sizeOf(join(this.#copies, folder)) > known.size
      if (isMore) this.#read({ place: 'trash', folder }, join(this.#copies, folder), stamp, false)
    }
  }

  #read(name: FolderName, path: string, stamp: string, isThere: boolean): void {
    const size = sizeOf(path)
    const text = parseManifest(size === 0 ? Buffer.alloc(0) : readFileSync(path))
    if ('damagedLine' in text) throw new Error(`${path} is damaged in line ${text.damagedLine}`)
    if (text.lines.length > 0) this.#folders.set(name.folder, { name, lines: text.lines, stamp, size, isThere })
  }

  get folders(): readonly Folder[] {
    return [...this.#folders.values()]
  }

  /** Folders in which something is archived. */
  get full(): { name: FolderName; state: ManifestState; items: ManifestItem[] }[] {
    return this.folders
      .filter(({ isThere }) => isThere)
      .map(({ name, lines }) => ({ name, state: foldedState(lines), items: itemsOf(foldedState(lines)) }))
      .filter(({ items }) => items.length > 0)
  }

  /** Everything that was ever taken out. What was announced only, and found in the database after a kill, is not among it. */
  get takings(): Taking[] {
    return this.folders.flatMap(({ lines, name: { folder } }) =>
      lines.flatMap((line) => {
        if (line.type !== 'bundle' || line.replaces !== null) return []
        const taken = lines.find((each) => each.type === 'taken' && each.file === line.file)
        const stayed = taken?.type === 'taken' ? taken.stayed : line.items
        const left = new Set(stayed.map(({ key, transcript }) => `${key} ${transcript}`))
        const items = line.items.filter(({ key, transcript }) => !left.has(`${key} ${transcript}`))
        return items.map((item) => ({ ...item, folder, atMs: line.atMs }))
      }),
    )
  }

  /** What was deleted for good with its folder, and how the folder was just before. */
  get deleted(): { folder: string; atMs: number; because: string; state: ManifestState; items: ManifestItem[] }[] {
    return this.folders.flatMap(({ lines, name: { folder } }) => {
      const at = lines.findIndex(({ type }) => type === 'deleting')
      const line = lines[at]
      if (line?.type !== 'deleting') return []
      const state = foldedState(lines.slice(0, at))
      return [{ folder, atMs: line.atMs, because: line.because, state, items: itemsOf(state) }]
    })
  }

  /** Folders that went to the trash after they had been archives. */
  get moved(): { folder: string; atMs: number; because: string; expiresAtMs: number; takenAtMs: number }[] {
    return this.folders.flatMap(({ lines, name: { folder } }) =>
      lines.flatMap((line) => {
        if (line.type !== 'moving') return []
        const { atMs, because, expiresAtMs } = line
        return [{ folder, atMs, because, expiresAtMs: expiresAtMs ?? 0, takenAtMs: lines[0]?.atMs ?? 0 }]
      }),
    )
  }

  /** The frame, after its length and SHA-256 were found to be the manifest's. */
  async textOf({ place, folder }: FolderName, state: ManifestState, item: ManifestItem): Promise<string> {
    const bundle = [...state.bundles.values()].find(({ items }) => items.includes(item))
    const parts: string[] = []
    for await (const part of readFrame(join(this.#root, place, folder, bundle?.file ?? 'none'), item)) parts.push(part)
    return parts.join('')
  }
}

function foldedState(lines: readonly ManifestLine[]): ManifestState {
  const [first, ...rest] = lines
  const state = first === undefined ? null : stateOf([first])
  if (state === null) throw new Error('a manifest begins with its sweep')
  for (const line of rest) applyLine(state, line)
  return state
}

const itemsOf = ({ bundles }: ManifestState): ManifestItem[] =>
  [...bundles.values()].filter(({ state }) => state === 'written' || state === 'taken').flatMap(({ items }) => items)
