import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SqliteOptions, sqliteStore } from '../../src/sqlite/open.ts'
import { Scene } from '../../src/testing/contract/scene.ts'

/** A place for the data of one test, gone afterwards. */
export class Scratch implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'holdfast-'))
  readonly data = join(this.root, 'data')
  readonly database = join(this.data, 'holdfast.sqlite')
  readonly #open: Scene[] = []

  /** Opens the store here, without a reserve: the disk of a test machine may be nearly full. */
  async scene(options: SqliteOptions = {}): Promise<Scene> {
    const openStore = sqliteStore(this.data, { diskReserveBytes: 0, ...options })
    const scene = await Scene.open({ openStore, backupDirectory: join(this.root, 'copy'), dispose: async () => {} })
    this.#open.push(scene)
    return scene
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const scene of this.#open) await scene.store.close()
    rmSync(this.root, { recursive: true })
  }
}
