import { join } from 'node:path'
import { sha256 } from '../../host/random.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { type Listed, listDirectory } from '../files/list.ts'
import { readSmall, type SmallFile } from '../files/text.ts'
import { type BoundFile, boundThreads } from './bindings.ts'

/** A binding has some 500 bytes. Unit: bytes. */
const fileBytesMax = 16 * 1024 ** 2
const fileName = /^thread-bindings.*\.json$/

/** The lists of bound threads of channels that keep them in files. What cannot be read is no list: it is left alone, and not told here. */
export async function readBound(homeDir: string): Promise<BoundFile[]> {
  const found: BoundFile[] = []
  for (const folder of await foldersOf(homeDir)) {
    for (const { name, what } of await listed(homeDir, folder)) {
      if (what !== 'file' || !fileName.test(name)) continue
      const file = await readQuietly(homeDir, join(folder, name))
      const bindings = file === null ? null : boundThreads(file.data.toString('utf8'))
      if (file === null || bindings === null) continue
      const judged = { path: file.path, identity: file.identity, sha256: sha256(file.data) }
      found.push({ judged, bindings })
    }
  }
  return found
}

/** `matrix/accounts/<account>/<server>/<token>` and what the others have at the top. */
async function foldersOf(homeDir: string): Promise<string[]> {
  let level = [join(homeDir, 'matrix', 'accounts')]
  for (let depth = 0; depth < 3; depth += 1) {
    const below: string[] = []
    for (const folder of level) {
      for (const { name, what } of await listed(homeDir, folder))
        if (what === 'directory') below.push(join(folder, name))
    }
    level = below.slice(0, foldersMax)
  }
  return [join(homeDir, 'discord'), join(homeDir, 'telegram'), join(homeDir, 'matrix'), ...level]
}

const foldersMax = 100

async function listed(root: string, folder: string): Promise<Listed[]> {
  try {
    return (await listDirectory(root, folder)) ?? []
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return []
  }
}

async function readQuietly(root: string, path: string): Promise<SmallFile | null> {
  try {
    return await readSmall(root, path, fileBytesMax)
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return null
  }
}
