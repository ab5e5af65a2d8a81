import { ArchiveFolder, listFolders } from '../../../archive/folder.ts'
import { HoldfastError, isHoldfastError } from '../../../model/errors.ts'
import type { SessionKey } from '../../../model/keys.ts'
import { chunksOf, dropExtra, indexOf, type Keeping, settleFolder } from './settle.ts'

export interface DeletedForever {
  /** It was in the database. */
  session: boolean
  /** Transcripts of it that were archived. */
  archived: number
}

const purgeRows = 500

/**
 * First the session is out of sight, then its archives go, found by their manifests and not by the index alone, then the rows and
 * what is left of them in pages. A kill in between leaves a part of it, and the same command finishes it.
 * @throws HoldfastError SESSION_NOT_FOUND, SESSION_BUSY, ARCHIVE_DAMAGED when all but a folder that cannot be read is gone
 */
export async function deleteForever(keeping: Keeping, key: SessionKey): Promise<DeletedForever> {
  const { store, clock, log } = keeping
  const session = await deleteSession(keeping, key)
  const archived = await deleteArchived(keeping, key)
  while (await store.purge({ rowsMax: purgeRows })) await clock.sleep(1)
  await store.scrub() // also where nothing was found: perhaps a kill came just before this
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
  for (const name of await listFolders(keeping.root)) {
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
  return deleted
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
