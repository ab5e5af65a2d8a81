import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { isSystemError } from '../host/files.ts'
import { HoldfastError } from '../model/errors.ts'

/** Read at once where a file is read through. Unit: bytes. */
const chunkBytes = 256 * 1024

/** Neither a link nor anything else that a name can lead to is followed: only a file that is one. @throws ARCHIVE_DAMAGED, STORE_IO */
export async function openForReading(path: string): Promise<FileHandle> {
  const handle = await reading(path, () => open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK))
  return checkRegular(handle, path)
}

/** The same, for appending and cutting back. */
export async function openForAppending(path: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK
  return checkRegular(await writing(path, () => open(path, flags, 0o600)), path)
}

/** A file that was not there. */
export function createFile(path: string): Promise<FileHandle> {
  return writing(path, () => open(path, 'wx+', 0o600))
}

async function checkRegular(handle: FileHandle, path: string): Promise<FileHandle> {
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw damaged(path, 'it is not a file')
}

/** Makes one level. What is there must be a directory, no link to one. */
export async function ensureDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw failureOfWriting(error, path)
  }
  await requireDirectory(path)
}

/** @throws HoldfastError ARCHIVE_DAMAGED where nothing is there, or something else, or a link */
export async function requireDirectory(path: string): Promise<void> {
  if (!(await reading(path, () => lstat(path))).isDirectory()) throw damaged(path, 'it is not a directory')
}

/** Names of these in it; none where it is not there. Links are neither. */
export async function namesIn(directory: string, of: 'directories' | 'files'): Promise<string[]> {
  const entries = await writing(directory, async () => {
    try {
      return await readdir(directory, { withFileTypes: true })
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return []
      throw error
    }
  })
  return entries.filter((entry) => (of === 'files' ? entry.isFile() : entry.isDirectory())).map(({ name }) => name)
}

/** Afterwards the names in it are on disk. */
export async function syncNames(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  await writing(directory, async () => {
    const handle = await open(directory, constants.O_RDONLY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  })
}

export async function renameTo(from: string, to: string): Promise<void> {
  await writing(to, () => rename(from, to))
}

/** It need not be there. */
export async function removeFile(path: string): Promise<void> {
  await writing(path, () => rm(path, { force: true }))
}

/** Something has this name, a file or not. */
export async function isThere(path: string): Promise<boolean> {
  return await writing(path, async () => {
    try {
      await lstat(path)
      return true
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return false
      throw error
    }
  })
}

export async function sha256OfFile(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(chunkBytes)
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, chunkBytes, position)
    if (bytesRead === 0) return hash.digest('hex')
    hash.update(buffer.subarray(0, bytesRead))
    position += bytesRead
  }
}

export function damaged(path: string, because: string, cause?: unknown): HoldfastError {
  return new HoldfastError('ARCHIVE_DAMAGED', { because: `${path}: ${because}` }, { cause })
}

async function reading<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ELOOP', 'EMLINK', 'ENOTDIR', 'ENXIO')) {
      throw damaged(path, `it cannot be opened (${error.code})`, error)
    }
    throw failureOfWriting(error, path)
  }
}

/** What the operating system said, as an error of ours. @throws STORE_FULL, STORE_PERMISSION, STORE_IO */
export async function writing<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw failureOfWriting(error, path)
  }
}

function failureOfWriting(error: unknown, path: string): unknown {
  if (!isSystemError(error)) return error
  const because = `${path} (${error.code})`
  if (['ENOSPC', 'EDQUOT'].includes(error.code ?? ''))
    return new HoldfastError('STORE_FULL', { because }, { cause: error })
  if (['EACCES', 'EPERM', 'EROFS'].includes(error.code ?? '')) {
    return new HoldfastError('STORE_PERMISSION', { because }, { cause: error })
  }
  return new HoldfastError('STORE_IO', { because }, { cause: error })
}
