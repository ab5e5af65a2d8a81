import { type ErrorCode, type ErrorFacts, errorCatalog, recordOf } from '../../model/errors.ts'
import type { Home } from '../../openclaw/home/home.ts'
import { visibleLine } from '../print/visible.ts'
import type { Terminal } from '../terminal.ts'
import { homesFor } from './ground.ts'
import type { HomeOptions } from './options.ts'

/** A home on which a command could not do its work. */
export interface Failed {
  /** As it was named; null where none was, and none is at the usual places. */
  dir: string | null
  error: { code: ErrorCode; message: string; fix: string; facts: ErrorFacts }
}

export type Asked = Pick<HomeOptions, 'home' | 'agent'> & { docker?: true }

/** Every home that is meant; one that cannot be looked at does not stop the others, and is told beside them. */
export async function findEach(
  options: Asked,
  terminal: Terminal,
  policy?: Parameters<typeof homesFor>[2],
): Promise<{ homes: Home[]; failed: Failed[] }> {
  const homes = new Map<string, Home>()
  const failed: Failed[] = []
  for (const named of options.home.length === 0 ? [null] : options.home) {
    try {
      const asked = { ...options, home: named === null ? [] : [named] }
      for (const home of await homesFor(asked, terminal, policy)) homes.set(home.dir, home)
    } catch (error) {
      failed.push(failedOf(named, error))
    }
  }
  return { homes: [...homes.values()], failed }
}

/** Does it with one home after the other; what fails with one of them stops no other. */
export async function forEach<Done>(
  homes: readonly Home[],
  failed: Failed[],
  act: (home: Home) => Promise<Done>,
): Promise<Done[]> {
  const done: Done[] = []
  for (const home of homes) {
    try {
      done.push(await act(home))
    } catch (error) {
      failed.push(failedOf(home.dir, error))
    }
  }
  return done
}

function failedOf(dir: string | null, error: unknown): Failed {
  const { code, message, facts } = recordOf(error)
  return { dir, error: { code, message, fix: errorCatalog[code].fix, facts } }
}

/** Why, in a line. */
export function failedLine({ dir, error }: Failed): string {
  return dir === null ? error.message : `${dir}: ${error.message}`
}

/** The same for stderr, with what to do. */
export function failedNote(failed: Failed): string {
  return `holdfast: ${visibleLine(failedLine(failed))}\nfix: ${failed.error.fix}`
}
