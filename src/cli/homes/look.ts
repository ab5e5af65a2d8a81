import { tmpdir } from 'node:os'
import { runCommand } from '../../host/commands.ts'
import { type ErrorCode, type ErrorFacts, errorCatalog, recordOf } from '../../model/errors.ts'
import { type Diagnosis, diagnosisOf } from '../../openclaw/doctor/diagnosis.ts'
import type { Home } from '../../openclaw/home/home.ts'
import { readSchedule } from '../../openclaw/survey/schedule.ts'
import { surroundingsOf } from '../../openclaw/survey/surroundings.ts'
import { survey } from '../../openclaw/survey/survey.ts'
import type { Terminal } from '../terminal.ts'
import { homesFor, processesFor, userDirOf } from './ground.ts'
import type { HomeOptions } from './options.ts'

export interface LookOptions extends HomeOptions {
  docker?: true
  /** Transcripts are not read through. */
  quick?: true
  /** SQLite's own check of databases. */
  check?: true
}

/** A home that could not be looked at. */
export interface Failed {
  /** As it was named; null where none was, and none is at the usual places. */
  dir: string | null
  error: { code: ErrorCode; message: string; fix: string; facts: ErrorFacts }
}

export interface Looked {
  homes: { home: Home; diagnosis: Diagnosis }[]
  failed: Failed[]
}

/** Looks at every home that is meant; one that cannot be looked at does not stop the others, and is told beside them. */
export async function lookAtHomes(options: LookOptions, terminal: Terminal): Promise<Looked> {
  const failed: Failed[] = []
  const found = await findEach(options, terminal, failed)
  if (found.length === 0) return { homes: [], failed }
  const { env, cwd } = terminal.outside
  const schedule = await readSchedule({ run: runCommand, env, cwd, userHome: userDirOf(terminal) })
  const named = options.home.length > 0 || found.length > 1
  const homes: Looked['homes'] = []
  for (const home of found) {
    try {
      const siblings = found.filter((each) => each !== home && isSibling(each, home)).map(({ dir }) => dir)
      homes.push({ home, diagnosis: await lookAt(home, { schedule, siblings, named }, options, terminal) })
    } catch (error) {
      failed.push(failedOf(home.dir, error))
    }
  }
  return { homes, failed }
}

async function findEach(options: LookOptions, terminal: Terminal, failed: Failed[]): Promise<Home[]> {
  const homes = new Map<string, Home>()
  for (const named of options.home.length === 0 ? [null] : options.home) {
    try {
      const asked = { ...options, home: named === null ? [] : [named] }
      for (const home of await homesFor(asked, terminal)) homes.set(home.dir, home)
    } catch (error) {
      failed.push(failedOf(named, error))
    }
  }
  return [...homes.values()]
}

async function lookAt(
  home: Home,
  known: { schedule: Awaited<ReturnType<typeof readSchedule>>; siblings: string[]; named: boolean },
  { quick, check }: LookOptions,
  terminal: Terminal,
): Promise<Diagnosis> {
  const { clock } = terminal.outside
  const nowMs = () => clock.nowMs()
  const progress = new Progress(home.dir, terminal)
  try {
    const facts = await survey(home, quick === true ? 'shallow' : 'deep', {
      nowMs,
      readProcesses: () => processesFor(terminal),
      temporary: [tmpdir()],
      told: (done, of) => progress.show(done, of),
    })
    const options = { nowMs: facts.nowMs, sizes: false, check: check === true, ...known }
    return diagnosisOf(facts, await surroundingsOf(home, options), known.named)
  } finally {
    progress.clear()
  }
}

/** Beside each other in one person's directory: a gateway may be started with either. */
function isSibling(one: Home, other: Home): boolean {
  const parent = (dir: string) => dir.slice(0, dir.lastIndexOf('/'))
  return parent(one.dir) === parent(other.dir)
}

function failedOf(dir: string | null, error: unknown): Failed {
  const { code, message, facts } = recordOf(error)
  return { dir, error: { code, message, fix: errorCatalog[code].fix, facts } }
}

/** Why, in a line. */
export function failedLine({ dir, error }: Failed): string {
  return dir === null ? error.message : `${dir}: ${error.message}`
}

const showEveryMs = 100

/** One line on stderr for a person who waits; none where stderr is no terminal. */
class Progress {
  readonly #dir: string
  readonly #terminal: Terminal
  #shownMs = Number.NEGATIVE_INFINITY

  constructor(dir: string, terminal: Terminal) {
    this.#dir = dir
    this.#terminal = terminal
  }

  show(done: number, of: number): void {
    const { stderr, clock } = this.#terminal.outside
    if (stderr.isTTY !== true || clock.steadyMs() - this.#shownMs < showEveryMs) return
    this.#shownMs = clock.steadyMs()
    const counts = `${done.toLocaleString('en-US')} of ${of.toLocaleString('en-US')}`
    stderr.write(`\r\u001b[K${this.#dir}: ${counts} transcripts`)
  }

  clear(): void {
    if (this.#shownMs > Number.NEGATIVE_INFINITY) this.#terminal.outside.stderr.write('\r\u001b[K')
  }
}
