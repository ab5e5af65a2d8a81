import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { benchIn, type Scenario } from './bench.ts'
import { formatSection, isMet, type Section } from './report.ts'
import { append } from './scenarios/append.ts'
import { claimScenario } from './scenarios/claim.ts'
import { diskScenario } from './scenarios/disk.ts'
import { eventLoop } from './scenarios/event-loop.ts'
import { homesScenario } from './scenarios/homes.ts'
import { postgresScenario } from './scenarios/postgres.ts'
import { readContext } from './scenarios/read-context.ts'
import { restartScenario } from './scenarios/restart.ts'
import { retentionScenario } from './scenarios/retention.ts'
import { listScenario, patchScenario } from './scenarios/sessions.ts'
import { turnOverhead } from './scenarios/turn-overhead.ts'

const scenarios: Scenario[] = [
  append,
  readContext,
  turnOverhead,
  eventLoop,
  claimScenario,
  listScenario,
  patchScenario,
  diskScenario,
  restartScenario,
  retentionScenario,
  homesScenario,
  postgresScenario,
]

const usage = `npm run bench -- [options]

Figures stand beside a limit or a peer of the same run; only their ratios travel between machines.

  --only NAME    one scenario: ${scenarios.map(({ name }) => name).join(', ')}
  --quick        fewer rounds, smaller data: under two minutes
  --peers DIR    also measure OpenClaw, installed there with npm i openclaw@2026.9.6 --ignore-scripts
  --dir DIR      where to write; a directory on the disk under test (default: the system's temporary directory)
  --json         one JSON document instead of tables
`

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    peers: { type: 'string' },
    dir: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) {
  process.stdout.write(usage)
} else {
  const chosen = scenarios.filter(({ name }) => options.only === undefined || name === options.only)
  if (chosen.length === 0) {
    process.stderr.write(`There is no scenario "${options.only}".\n\n${usage}`)
    process.exitCode = 2
  } else {
    await measure(chosen)
  }
}

async function measure(chosen: Scenario[]): Promise<void> {
  const under = resolve(options.dir ?? tmpdir())
  mkdirSync(under, { recursive: true })
  const root = mkdtempSync(join(under, 'holdfast-bench-'))
  const disk = diskOf(root)
  const startedMs = performance.now()
  const bench = benchIn(root, { quick: options.quick, peersFolder: options.peers ?? null, progress })
  const measured: { name: string; question: string; sections: Section[] }[] = []
  try {
    if (!options.json) {
      process.stdout.write(`Node ${process.versions.node}, ${cpus().length} cores, ${disk}\n`)
    }
    for (const { name, question, run } of chosen) {
      progress(name)
      const sections = await run(bench)
      clearProgress()
      measured.push({ name, question, sections })
      if (!options.json) process.stdout.write(`\n${sections.map(formatSection).join('\n\n')}\n`)
    }
  } finally {
    clearProgress()
    rmSync(root, { recursive: true, force: true })
  }
  const tookMs = Math.round(performance.now() - startedMs)
  if (options.json) {
    const machine = { node: process.versions.node, cores: cpus().length, disk }
    process.stdout.write(`${JSON.stringify({ machine, quick: options.quick, tookMs, scenarios: measured }, null, 2)}\n`)
    return
  }
  const targets = measured.flatMap(({ sections }) => sections.flatMap((section) => section.targets))
  const met = targets.filter(isMet).length
  process.stdout.write(`\n${met} of ${targets.length} targets met, in ${Math.round(tookMs / 1_000)} s\n`)
}

/** On tmpfs there is no disk to wait for, so nothing that is measured there says anything about durability. */
function diskOf(path: string): string {
  const tmpfs = 0x01021994
  const isMemory = process.platform === 'linux' && statfsSync(path).type === tmpfs
  return isMemory ? 'IN MEMORY (tmpfs): durable figures mean nothing, use --dir' : `writing under ${path}`
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text} …`)
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
}
