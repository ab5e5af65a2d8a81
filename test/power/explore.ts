import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { problemsIn } from '../store/crash.ts'
import { factsIn } from '../store/journal.ts'
import { databaseFiles, runTraced } from '../store/strace.ts'
import { chanceFrom } from './chance.ts'
import { type CrashState, crashStates } from './disk.ts'
import { type Call, callsIn } from './trace.ts'

/** One run of the writer, as the disk saw it. */
export interface Recording {
  calls: Call[]
  told: string[]
  dispose(): Promise<void>
  directory: string
}

export async function record(synchronous: 'full' | 'unsafe-for-tests', rounds: number): Promise<Recording> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-power-'))
  const data = join(directory, 'data')
  const journal = join(directory, 'journal')
  const trace = join(directory, 'trace')
  await mkdir(data, { mode: 0o700 })
  const watched = [data, ...[...databaseFiles, 'holdfast.sqlite-journal'].map((name) => join(data, name)), journal]
  const { code, errors } = await runTraced([data, journal, String(rounds), synchronous], watched, trace)
  if (code !== 0) throw new Error(`the writer failed: ${errors}`)
  const calls = callsIn(await readFile(trace, 'utf8'), journal)
  const told = calls.flatMap((call) => (call.kind === 'told' ? [call.text] : []))
  return { calls, told, directory, dispose: () => rm(directory, { recursive: true }) }
}

export interface Exploration {
  /** Of this many states … */
  states: number
  /** … this many were built and opened. */
  checked: number
  violations: { how: string; after: number; problems: string[] }[]
}

const seed = 20_260_102

/**
 * Opens the store in at most `checksMax` of the states that a power loss can leave, spread evenly over the run, and looks for
 * what had been told by then. `enough` ends it early.
 */
export async function explore(
  { calls, told, directory }: Recording,
  checksMax: number,
  enough: (found: Exploration) => boolean = () => false,
): Promise<Exploration> {
  const chosen = chanceFrom(seed)
  let states = 0
  for (const _ of crashStates(calls, chanceFrom(seed))) states += 1
  const found: Exploration = { states, checked: 0, violations: [] }
  for (const state of crashStates(calls, chanceFrom(seed))) {
    if (chosen() * states >= checksMax) continue
    found.checked += 1
    const problems = await problemsAfter(state, told, join(directory, 'state'))
    if (problems.length > 0) found.violations.push({ how: state.how, after: state.after, problems })
    if (enough(found)) break
  }
  return found
}

async function problemsAfter(state: CrashState, told: string[], directory: string): Promise<string[]> {
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { mode: 0o700 })
  for (const [path, content] of state.files()) {
    await writeFile(join(directory, basename(path)), content, { mode: 0o600 })
  }
  try {
    return await problemsIn(directory, factsIn(told.slice(0, state.toldCount).join('')))
  } catch (error) {
    return [`it cannot be opened: ${error instanceof Error ? error.message : error}`]
  }
}
