import { runCommand } from '../../host/commands.ts'
import { parentsOf } from '../../openclaw/clean/parents.ts'
import { type Diagnosis, diagnosisOf } from '../../openclaw/doctor/diagnosis.ts'
import type { Fixed } from '../../openclaw/doctor/fix.ts'
import type { Home } from '../../openclaw/home/home.ts'
import { readSchedule } from '../../openclaw/survey/schedule.ts'
import { surroundingsOf } from '../../openclaw/survey/surroundings.ts'
import { survey } from '../../openclaw/survey/survey.ts'
import type { Terminal } from '../terminal.ts'
import { type Failed, findEach, forEach } from './each.ts'
import { outsideFor, userDirOf } from './ground.ts'
import type { HomeOptions } from './options.ts'
import { Progress } from './progress.ts'

export interface LookOptions extends HomeOptions {
  docker?: true
  /** Transcripts are not read through. */
  quick?: true
  /** SQLite's own check of databases. */
  check?: true
}

export interface Looked {
  homes: { diagnosis: Diagnosis; fixed: Fixed | null }[]
  failed: Failed[]
}

/**
 * Looks at every home that is meant; one that cannot be looked at does not stop the others, and is told beside them. `fix` puts right what
 * it can before each is looked at.
 */
export async function lookAtHomes(
  options: LookOptions,
  terminal: Terminal,
  fix: ((home: Home) => Promise<Fixed>) | null = null,
): Promise<Looked> {
  const { homes: found, failed } = await findEach(options, terminal)
  if (found.length === 0) return { homes: [], failed }
  const { env, cwd } = terminal.outside
  const schedule = await readSchedule({ run: runCommand, env, cwd, userHome: userDirOf(terminal) })
  const named = options.home.length > 0 || found.length > 1
  const homes = await forEach(found, failed, async (home) => {
    const siblings = found.filter((each) => each !== home && isSibling(each, home)).map(({ dir }) => dir)
    const fixed = fix === null ? null : await fix(home)
    return { diagnosis: await lookAt(home, { schedule, siblings, named }, options, terminal), fixed }
  })
  return { homes, failed }
}

async function lookAt(
  home: Home,
  known: { schedule: Awaited<ReturnType<typeof readSchedule>>; siblings: string[]; named: boolean },
  { quick, check }: LookOptions,
  terminal: Terminal,
): Promise<Diagnosis> {
  const progress = new Progress(home.dir, 'transcripts', terminal)
  try {
    const told = (done: number, of: number) => progress.show(done, of)
    const facts = await survey(home, quick === true ? 'shallow' : 'deep', { ...outsideFor(home, terminal), told })
    const options = { nowMs: facts.nowMs, sizes: false, check: check === true, ...known }
    const around = await surroundingsOf(home, options)
    return diagnosisOf(facts, around, await parentsOf(facts), known.named)
  } finally {
    progress.clear()
  }
}

/** Beside each other in one person's directory: a gateway may be started with either. */
function isSibling(one: Home, other: Home): boolean {
  const parent = (dir: string) => dir.slice(0, dir.lastIndexOf('/'))
  return parent(one.dir) === parent(other.dir)
}
