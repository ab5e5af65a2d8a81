import { join } from 'node:path'
import { HoldfastError } from '../../../model/errors.ts'
import { requireDirectory } from '../../files/create.ts'
import { listDirectory } from '../../files/list.ts'
import { type OpenFile, openInside } from '../../files/open.ts'
import { OwnFile } from '../../files/own/own-file.ts'
import { removeFolder } from '../../files/own/remove-folder.ts'
import { ownFolder } from '../../files/own/writer-lock.ts'
import { bundlePattern, manifestName, runPattern } from './manifest.ts'

export function archivesOf(home: string): string {
  return join(home, ownFolder, 'archives')
}

export function folderOf(home: string, run: string): string {
  if (!runPattern.test(run)) throw new HoldfastError('MANIFEST_INVALID', { because: `${run} is no name of a run` })
  return join(archivesOf(home), run)
}

export function manifestOf(home: string, run: string): string {
  return join(folderOf(home, run), manifestName)
}

/** Names of runs, oldest first; names of another shape are not ours. */
export async function listRuns(home: string): Promise<string[]> {
  const found = (await listDirectory(home, archivesOf(home))) ?? []
  return found.filter(({ name, what }) => what === 'directory' && runPattern.test(name)).map(({ name }) => name)
}

export interface BundleFile {
  name: string
  bytes: number
  mtimeNs: bigint
}

export async function listBundles(home: string, run: string): Promise<BundleFile[]> {
  const found = (await listDirectory(home, folderOf(home, run))) ?? []
  return found
    .filter(({ name, what }) => what === 'file' && bundlePattern.test(name))
    .map(({ name, identity }) => ({ name, bytes: Number(identity.bytes), mtimeNs: identity.mtimeNs }))
}

/** @throws HoldfastError ARCHIVE_NOT_FOUND */
export async function openBundle(home: string, run: string, name: string): Promise<OpenFile> {
  if (!bundlePattern.test(name)) throw new HoldfastError('MANIFEST_INVALID', { because: `${name} is no bundle` })
  const path = join(folderOf(home, run), name)
  const file = await openInside(home, path)
  if (file === null) throw new HoldfastError('ARCHIVE_NOT_FOUND', { because: path })
  return file
}

/** It and its bytes are gone. */
export function removeBundle(home: string, run: string, name: string): void {
  if (!bundlePattern.test(name)) throw new HoldfastError('MANIFEST_INVALID', { because: `${name} is no bundle` })
  using folder = requireDirectory(home, folderOf(home, run))
  folder.remove(name)
  folder.sync()
}

/** It is no longer than this. */
export async function trimBundle(home: string, run: string, name: string, bytes: number): Promise<void> {
  using folder = requireDirectory(home, folderOf(home, run))
  await using file = await OwnFile.open(folder, name)
  if (file.bytes > bytes) await file.cutBack(bytes)
}

/** Nothing of ours is left of the run. */
export async function removeRun(home: string, run: string): Promise<void> {
  const bundles = (await listBundles(home, run)).map(({ name }) => name)
  removeFolder(home, folderOf(home, run), [...bundles, manifestName])
}
