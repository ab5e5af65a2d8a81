import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildHome } from '../../test/openclaw/build.ts'
import { crowdedAgent } from '../../test/openclaw/crowd.ts'
import type { Bench, Scenario } from '../bench.ts'
import { interleave, type Measured, type Round } from '../measure.ts'
import { atMost, type Figure, type Section } from '../report.ts'

const program = fileURLToPath(new URL('../../bin/holdfast.mjs', import.meta.url))

export const homesScenario: Scenario = {
  name: 'homes',
  question: 'What does it cost to look at a home with very many files?',
  run,
}

interface Looked {
  files: number
  find: Measured
  cat: Measured
  quick: Measured
  deep: Measured
  clean: Measured
  maxRssBytes: Record<Command, number>
}

type Command = 'quick' | 'deep' | 'clean' | 'undo'

async function run(bench: Bench): Promise<Section[]> {
  const looked: Looked[] = []
  for (const files of bench.quick ? [1_000, 10_000] : [10_000, 100_000]) {
    bench.progress(`homes: ${files.toLocaleString('en-US')} files`)
    const dir = join(bench.directory(`homes-${files}`), '.openclaw')
    buildHome(dir, { agents: [crowdedAgent(files)] })
    looked.push(await lookAt(dir, files, bench.quick ? 2 : 3))
  }
  const [small, large] = looked as [Looked, Looked]
  return [
    ...looked.map(sectionOf),
    {
      title: 'growth with ten times as many files, and the largest beside what a disk gives',
      rows: [],
      targets: [
        atMost('time of a look at names and sizes', large.quick.medianMs / small.quick.medianMs, 12),
        atMost('names and sizes of the largest beside find', large.quick.medianMs / large.find.medianMs, 20),
        atMost('all transcripts of the largest beside cat', large.deep.medianMs / large.cat.medianMs, 4),
        atMost('memory for each file more', growthOf(large, small, 'quick'), 4_000, 'bytes'),
        atMost('memory for each file more, transcripts read', growthOf(large, small, 'deep'), 4_000, 'bytes'),
        atMost('time of cleaning', large.clean.medianMs / small.clean.medianMs, 12),
        atMost('memory for each file more, cleaned', growthOf(large, small, 'clean'), 4_000, 'bytes'),
      ],
      notes: [],
    },
  ]
}

function growthOf(large: Looked, small: Looked, depth: Command): number {
  return (large.maxRssBytes[depth] - small.maxRssBytes[depth]) / (large.files - small.files)
}

async function lookAt(dir: string, files: number, rounds: number): Promise<Looked> {
  const maxRssBytes = { quick: 0, deep: 0, clean: 0, undo: 0 }
  const cleaning = async (): Promise<Round> => {
    const round = await holdfast('clean', 0, ['clean', '--mode', 'enforce'])()
    await holdfast('undo', 0, ['undo', newestRun(dir)])() // so that each round finds the same home; not timed
    return round
  }
  const holdfast = (depth: Command, ends: number, words: string[]) => async (): Promise<Round> => {
    const beganMs = performance.now()
    const env = { ...process.env, HOME: dir, NODE_OPTIONS: telling }
    const { stdout, stderr, status } = spawnSync(process.execPath, [program, ...words, '--home', dir], {
      env,
      encoding: 'utf8',
    })
    const tookMs = performance.now() - beganMs
    if (status !== ends) throw new Error(`holdfast ${words.join(' ')} ended with ${status}: ${stderr}${stdout}`)
    const told = Number(/maxRSS (\d+)/.exec(stderr)?.[1]) * 1_024
    maxRssBytes[depth] = Math.max(maxRssBytes[depth], told)
    return { latenciesMs: [tookMs], wallMs: tookMs }
  }
  const measured = await interleave(
    [
      { name: 'find', round: () => timed('find', [dir, '-type', 'f', '-printf', '%s %T@\n']) },
      { name: 'cat', round: () => timed('find', [dir, '-type', 'f', '-exec', 'cat', '{}', '+']) },
      { name: 'quick', round: holdfast('quick', 1, ['doctor', '--quick']) },
      { name: 'deep', round: holdfast('deep', 1, ['doctor']) },
      { name: 'clean', round: cleaning },
    ],
    rounds,
  )
  const of = (name: string) => measured.get(name) as Measured
  const measuredOf = { quick: of('quick'), deep: of('deep'), clean: of('clean') }
  return { files, find: of('find'), cat: of('cat'), ...measuredOf, maxRssBytes }
}

function newestRun(dir: string): string {
  return readdirSync(join(dir, 'holdfast/archives')).sort().at(-1) as string
}

/** Each process tells at its end how much memory it had at most, in KB. */
const telling =
  "--import data:text/javascript,process.on('exit',()=>process._rawDebug('maxRSS',process.resourceUsage().maxRSS))"

async function timed(file: string, args: string[]): Promise<Round> {
  const beganMs = performance.now()
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const tookMs = performance.now() - beganMs
  return { latenciesMs: [tookMs], wallMs: tookMs }
}

function sectionOf({ files, find, cat, quick, deep, clean, maxRssBytes }: Looked): Section {
  const figures = (measured: Measured, rss: number | null): Figure[] => [
    { label: 'whole run', value: measured.medianMs, unit: 'ms' },
    { label: 'beside find', value: measured.medianMs / find.medianMs, unit: 'times' },
    ...(rss === null ? [] : [{ label: 'memory at most', value: rss, unit: 'bytes' as const }]),
  ]
  return {
    title: `a home with ${files.toLocaleString('en-US')} files, a tenth of them bound sessions`,
    rows: [
      { name: 'find -type f -printf "%s %T@"', role: 'limit', figures: figures(find, null) },
      { name: 'find -type f -exec cat {} +', role: 'limit', figures: figures(cat, null) },
      { name: 'holdfast doctor --quick', role: 'holdfast', figures: figures(quick, maxRssBytes.quick) },
      { name: 'holdfast doctor', role: 'holdfast', figures: figures(deep, maxRssBytes.deep) },
      { name: 'holdfast clean --mode enforce', role: 'holdfast', figures: figures(clean, maxRssBytes.clean) },
    ],
    targets: [],
    notes: ['A whole run includes the start of Node, the processes of this machine, and what was found as text.'],
  }
}
