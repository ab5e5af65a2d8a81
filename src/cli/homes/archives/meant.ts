import { basename, dirname, resolve } from 'node:path'
import { HoldfastError } from '../../../model/errors.ts'
import { listRuns } from '../../../openclaw/changes/journal/folder.ts'
import { manifestName, runPattern } from '../../../openclaw/changes/journal/manifest.ts'
import { homeOfFolder } from '../../../openclaw/changes/territory.ts'
import type { Home } from '../../../openclaw/home/home.ts'
import type { Terminal } from '../../terminal.ts'
import { homesFor } from '../ground.ts'
import type { HomeOptions } from '../options.ts'

export const runArgument = 'the path of a manifest or of its folder, or the name of a run'

/**
 * The run that a person means, and its home: by the path of a manifest, or of the folder that it lies in; or by its name, in the homes that
 * are asked for. @throws HoldfastError MANIFEST_INVALID for a path that is none, ARCHIVE_NOT_FOUND, HOME_NOT_FOUND, USAGE for a name
 * that more than one home has
 */
export async function meantRun(
  text: string,
  options: Pick<HomeOptions, 'home' | 'agent'>,
  terminal: Terminal,
): Promise<{ home: Home; run: string }> {
  if (!/[/\\]/.test(text) && text !== manifestName) return await namedRun(text, options, terminal)
  const path = resolve(terminal.outside.cwd, text)
  const folder = basename(path) === manifestName ? dirname(path) : path
  const run = basename(folder)
  if (!runPattern.test(run) || basename(dirname(folder)) !== 'archives')
    throw new HoldfastError('MANIFEST_INVALID', { because: `${path} is not in a folder of archives` })
  const [home] = await homesFor({ home: [homeOfFolder(folder)], agent: [] }, terminal)
  if (home === undefined) throw new HoldfastError('HOME_NOT_FOUND', { because: homeOfFolder(folder) })
  return { home, run }
}

async function namedRun(
  run: string,
  options: Pick<HomeOptions, 'home' | 'agent'>,
  terminal: Terminal,
): Promise<{ home: Home; run: string }> {
  const found: Home[] = []
  const homes = await homesFor(options, terminal)
  for (const home of homes) if ((await listRuns(home.dir)).includes(run)) found.push(home)
  const [home, another] = found
  if (home === undefined)
    throw new HoldfastError('ARCHIVE_NOT_FOUND', { because: `${run} in ${homes.map(({ dir }) => dir).join(', ')}` })
  if (another !== undefined)
    throw new HoldfastError('USAGE', {
      because: `${run} is in ${home.dir} and in ${another.dir}: name one with --home`,
    })
  return { home, run }
}
