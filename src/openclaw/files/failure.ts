import { isSystemError } from '../../host/files.ts'
import { HoldfastError } from '../../model/errors.ts'

export function unsafe(path: string, because: string): HoldfastError {
  return new HoldfastError('HOME_UNSAFE', { because: `${path}: ${because}` })
}

export function changed(path: string, because: string): HoldfastError {
  return new HoldfastError('HOME_CHANGED', { because: `${path}: ${because}` })
}

export function unreadable(path: string, because: string, cause?: unknown): HoldfastError {
  return new HoldfastError('HOME_UNREADABLE', { because: `${path}: ${because}` }, { cause })
}

/** Nothing has this name, nor can have: what stands above it is no directory. */
export function isAbsent(error: unknown): boolean {
  return isSystemError(error, 'ENOENT', 'ENOTDIR')
}

/** What the operating system said while something was read, as an error of ours; anything else as it is. */
export function failureOfReading(error: unknown, path: string): unknown {
  if (!isSystemError(error)) return error
  // a link where none was a moment ago, or what cannot be opened for reading at all
  if (['ELOOP', 'EMLINK', 'ENXIO', 'EISDIR'].includes(error.code ?? '')) return unsafe(path, `${error.code}`)
  return unreadable(path, `${error.code}`, error)
}

/** The same while something was written. */
export function failureOfWriting(error: unknown, path: string): unknown {
  if (!isSystemError(error)) return error
  const because = `${path}: ${error.code}`
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new HoldfastError('STORE_FULL', { because }, { cause: error })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new HoldfastError('HOME_READ_ONLY', { because }, { cause: error })
    case 'ELOOP':
    case 'ENOTDIR':
    case 'EISDIR':
      return unsafe(path, error.code)
    case 'EEXIST':
      return new HoldfastError('FILE_EXISTS', { because }, { cause: error })
    default:
      return new HoldfastError('STORE_IO', { because }, { cause: error })
  }
}

/** Carries it out; what fails is an error of ours. @throws STORE_FULL, STORE_IO, HOME_READ_ONLY, HOME_UNSAFE, FILE_EXISTS */
export async function writing<T>(path: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw failureOfWriting(error, path)
  }
}
