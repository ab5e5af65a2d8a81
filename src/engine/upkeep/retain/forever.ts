import { damaged } from '../../../archive/files.ts'
import { ArchiveFolder, type FolderName, listFolders } from '../../../archive/folder.ts'
import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import type { SessionKey } from '../../../model/keys.ts'
import { chunksOf, dropExtra, indexOf, type Keeping, purgeAll, rowsOf, settleFolder } from './settle.ts'

export interface DeletedForever {
  /** It was in the database. */
  session: boolean
  /** Transcripts of it that were archived. */
  archived: number
}

/**
 * Hides the session, deletes its archives, bundle by bundle, found by their manifests and not by the index alone, and with
 * them the key; then the rows. A kill in between leaves a part of it, and the same command finishes that, also
 * where nothing of that name is found any more. @throws HoldfastError SESSION_NOT_FOUND, SESSION_BUSY, ARCHIVE_DAMAGED
 * when all is gone but a folder that cannot be read
 */
export async function deleteForever(keeping: Keeping, key: SessionKey): Promise<DeletedForever> {
  const { store, log } = keeping
  const session = await deleteSession(keeping, key)
  const archived = await deleteArchived(keeping, key)
  await purgeAll(keeping)
  await store.scrub() // gives all free pages back too
  if (!session && archived.transcripts === 0 && archived.manifests === 0 && archived.damaged === null) {
    throw new HoldfastError('SESSION_NOT_FOUND', { sessionKey: key })
  }
  log.info({ transcripts: archived.transcripts, session }, 'a session was deleted for good')
  if (archived.damaged !== null) throw archived.damaged // nobody can tell what is in there
  return { session, archived: archived.transcripts }
}

async function deleteSession({ store, clock }: Keeping, key: SessionKey): Promise<boolean> {
  try {
    await store.deleteSession({ key, atMs: clock.nowMs() })
    return true
  } catch (error) {
    if (!isHoldfastError(error, 'SESSION_NOT_FOUND')) throw error
    return false // perhaps only its archives are left
  }
}

interface Deleted {
  transcripts: number
  manifests: number
  /** Of a folder that cannot be read. */
  damaged: HoldfastError | null
}

async function deleteArchived(keeping: Keeping, key: SessionKey): Promise<Deleted> {
  const deleted: Deleted = { transcripts: 0, manifests: 0, damaged: null }
  const names = await listFolders(keeping.root)
  for (const name of names) {
    try {
      await using folder = await ArchiveFolder.open(keeping.root, name)
      if (folder === null || !folder.names(key)) continue
      deleted.transcripts += await deleteIn(keeping, folder, key)
      deleted.manifests += 1
    } catch (error) {
      if (!isHoldfastError(error, 'ARCHIVE_DAMAGED')) throw error
      deleted.damaged ??= error
    }
  }
  await deleteUnnamed(keeping, key, names, deleted)
  return deleted
}

/** What only the index knows of: its folder was removed by somebody, or its manifest has lost lines. */
async function deleteUnnamed(
  keeping: Keeping,
  key: SessionKey,
  names: readonly FolderName[],
  deleted: Deleted,
): Promise<void> {
  const there = new Set(names.map(({ folder }) => folder))
  const rows = await rowsOf(keeping, { key })
  const gone = rows.filter(({ sweep }) => !there.has(sweep))
  for (const chunk of chunksOf(gone.map(({ id }) => id))) await keeping.store.dropArchived({ ids: chunk })
  deleted.transcripts += gone.length
  const left = rows.find(({ sweep }) => there.has(sweep))
  if (left !== undefined) deleted.damaged ??= damaged(left.sweep, 'its manifest does not name all that is in it')
}

async function deleteIn(keeping: Keeping, folder: ArchiveFolder, key: SessionKey): Promise<number> {
  let transcripts = 0
  await settleFolder(keeping, folder, true)
  for (const bundle of [...folder.state.bundles.values()]) {
    const going = bundle.items.filter((item) => item.key === key)
    if (going.length === 0) continue
    transcripts += going.length
    bundle.items = bundle.items.filter((item) => item.key !== key)
    bundle.extra.push(...going)
    await dropExtra(keeping, folder, bundle, 'deleted for good')
  }
  const ids = (await indexOf(keeping, folder.name)).filter((row) => row.sessionKey === key).map(({ id }) => id)
  for (const chunk of chunksOf(ids)) await keeping.store.dropArchived({ ids: chunk })
  await folder.forget(key)
  return transcripts
}
