import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteStore } from '../../src/sqlite/open.ts'
import type { StoreGround } from '../../src/testing/contract/scene.ts'

/** A new data directory, without a reserve: the disk of a test machine may be nearly full. */
export async function sqliteGround(): Promise<StoreGround> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-'))
  return {
    openStore: sqliteStore(join(directory, 'data'), { diskReserveBytes: 0 }),
    backupDirectory: join(directory, 'copy'),
    dispose: () => rm(directory, { recursive: true }),
  }
}
