import { ensureDirectory } from './create.ts'
import { type Directory, openDirectory } from './place.ts'

/** Directories that are used many times, each opened once. */
export class Directories implements Disposable {
  readonly #open = new Map<string, Directory | null>()

  /** As `openDirectory`. */
  open(root: string, path: string): Directory | null {
    const known = this.#open.get(path)
    if (known !== undefined) return known
    const opened = openDirectory(root, path)
    this.#open.set(path, opened)
    return opened
  }

  /** As `ensureDirectory`. */
  ensure(root: string, path: string): Directory {
    const known = this.open(root, path)
    if (known !== null) return known
    const made = ensureDirectory(root, path)
    this.#open.set(path, made)
    return made
  }

  sync(): void {
    for (const directory of this.#open.values()) directory?.sync()
  }

  [Symbol.dispose](): void {
    for (const directory of this.#open.values()) directory?.[Symbol.dispose]()
    this.#open.clear()
  }
}
