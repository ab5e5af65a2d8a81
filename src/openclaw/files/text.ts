import { changed, unreadable } from './failure.ts'
import { type Identity, sameIdentity } from './identity.ts'
import { readTail } from './lines.ts'
import { openInside } from './open.ts'

export interface SmallFile {
  path: string
  identity: Identity
  mode: number
  links: number
  data: Buffer
}

/**
 * A whole file; null where there is none. What was read is what it was at one moment: a writer that was at it meanwhile is noticed.
 * @throws HoldfastError HOME_CHANGED then, HOME_UNSAFE, HOME_UNREADABLE also where it is longer than `bytesMax`
 */
export async function readSmall(root: string, path: string, bytesMax: number): Promise<SmallFile | null> {
  using file = await openInside(root, path)
  if (file === null) return null
  const { identity, mode, links, bytes } = file
  if (bytes > bytesMax) throw unreadable(path, `it has ${bytes} bytes, and at most ${bytesMax} are read`)
  const data = await readTail(file, bytes)
  if (!sameIdentity(identity, file.identityNow())) throw changed(path, 'it was written while it was read')
  return { path, identity, mode, links, data }
}
