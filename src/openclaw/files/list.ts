import { lstatSync, opendirSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { failureOfReading, isAbsent } from './failure.ts'
import { type Identity, identityOf, type Standing, standingOf } from './identity.ts'
import { openDirectory } from './place.ts'

/** The event loop gets its turn after this long. Unit: ms. */
const sliceMs = 4
const namesAtOnce = 1_000

export interface Listed {
  name: string
  what: Standing
  identity: Identity
  uid: number
  gid: number
  /** Permission bits, `0o644`. */
  mode: number
  links: number
}

/**
 * What stands in a directory, links not followed, in the order of the names; null where there is no directory. What vanished meanwhile
 * is left out. A name that is no UTF-8 is `nameless` and has U+FFFD in it: nothing can be done with it.
 * @throws HoldfastError HOME_UNSAFE for anything that is no directory inside the root, HOME_UNREADABLE
 */
export async function listDirectory(root: string, path: string): Promise<Listed[] | null> {
  using directory = openDirectory(root, path)
  if (directory === null) return null
  const found: Listed[] = []
  try {
    using names = opendirSync(Buffer.from(path) as unknown as string, { bufferSize: namesAtOnce, ...asBuffers })
    let sinceMs = performance.now()
    for (let entry = names.readSync(); entry !== null; entry = names.readSync()) {
      const listed = look(path, entry.name as unknown as Buffer)
      if (listed !== null) found.push(listed)
      if (performance.now() - sinceMs < sliceMs) continue
      await setImmediate()
      sinceMs = performance.now()
    }
  } catch (error) {
    if (isAbsent(error)) return null
    throw failureOfReading(error, path)
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Node's types do not have it, its documentation does: names as they are on disk. */
const asBuffers = { encoding: 'buffer' as BufferEncoding }

function look(directory: string, bytes: Buffer): Listed | null {
  const name = bytes.toString('utf8')
  const isName = Buffer.from(name).equals(bytes)
  try {
    const stat = lstatSync(Buffer.concat([Buffer.from(`${directory}/`), bytes]), { bigint: true })
    return {
      name,
      what: isName ? standingOf(stat) : 'nameless',
      identity: identityOf(stat),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mode: Number(stat.mode & 0o7777n),
      links: Number(stat.nlink),
    }
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}
