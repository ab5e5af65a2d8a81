import { dirname, isAbsolute, join, relative, sep } from 'node:path'
import { HoldfastError } from '../../model/errors.ts'
import { ownFolder } from '../files/own/writer-lock.ts'
import { isInside, requireInside } from '../files/place.ts'
import type { Home } from '../home/home.ts'

/** What of a home a run needs to know to stay within it. */
export type Territory = Pick<Home, 'dir' | 'agents' | 'receipts'>

/** The directory of the home in which this lies: the home itself, or a sessions directory beside it. @throws HoldfastError HOME_UNSAFE */
export function rootOf(home: Territory, path: string): string {
  const roots = [home.dir, ...home.agents.map(({ sessionsDir }) => sessionsDir)]
  const root = roots.find((each) => isInside(each, path))
  if (root === undefined) throw new HoldfastError('HOME_UNSAFE', { because: `${path}: it lies outside of the home` })
  requireInside(root, path)
  return root
}

/** Why nothing may be done to it, whoever asks; null: it may. */
export function refusalOf(home: Territory, path: string): string | null {
  if (home.receipts.some((receipt) => isInside(receipt, path)))
    return 'it is named by a migration to SQLite, which would no longer find it as it was'
  if (isInside(join(home.dir, ownFolder), path)) return 'it is a file of Holdfast itself'
  if (/\.sqlite(?:-wal|-shm|-journal)?$/.test(path)) return 'it is a database of the gateway'
  return null
}

/** As a manifest has it, so that it holds when the home is moved. */
export function recordedPath(home: string, path: string): string {
  return isInside(home, path) ? relative(home, path).split(sep).join('/') || '.' : path
}

export function actualPath(home: string, recorded: string): string {
  return isAbsolute(recorded) ? recorded : join(home, recorded)
}

/** The home that a run's folder lies in. */
export function homeOfFolder(folder: string): string {
  return dirname(dirname(dirname(folder)))
}
