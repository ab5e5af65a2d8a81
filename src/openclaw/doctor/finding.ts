import type { Around } from '../survey/around.ts'
import type { AgentFacts, FileFacts, HomeFacts } from '../survey/facts.ts'
import { type FindingCode, findingCatalog } from './catalog.ts'
import type { Severity } from './codes/meaning.ts'

/** Documented: other programs rely on it. */
export interface Finding {
  code: FindingCode
  severity: Severity
  title: string
  /** One or two sentences with numbers; never a session key, a file's name, or what people wrote. */
  evidence: string
  /** The exact command, or what a person does where no command can. */
  fix: string
  /** How many locks, entries, files; what `examples` are examples of. */
  count: number
  /** What they take on disk together; null where that is not the point. */
  bytes: number | null
  /** The first few. */
  examples: Example[]
}

export interface Example {
  agent: string | null
  key: string | null
  /** Absolute. */
  path: string | null
  says: string
}

/** A finding shows as many examples as a screen has room for; what there are more is in its count. */
export const examplesMax = 5

export interface Seen {
  facts: HomeFacts
  around: Around
  /** Several homes are looked after: commands say which one. */
  named: boolean
}

interface Found {
  evidence: string
  count: number
  bytes?: number
  examples?: Partial<Example>[]
  /** Instead of the one in the catalog. */
  fix?: string
}

export function finding(seen: Seen, code: FindingCode, found: Found): Finding {
  const { severity, title, fix } = findingCatalog[code]
  return {
    code,
    severity,
    title,
    evidence: found.evidence,
    fix: commandOf(found.fix ?? fix, seen),
    count: found.count,
    bytes: found.bytes ?? null,
    examples: (found.examples ?? [])
      .slice(0, examplesMax)
      .map(({ agent = null, key = null, path = null, says = '' }) => ({ agent, key, path, says })),
  }
}

function commandOf(fix: string, { facts, named }: Seen): string {
  const dir = shellWord(facts.home.dir)
  const filled = fix.replace('{dir}', dir)
  if (!named) return filled
  if (/^(sudo )?holdfast /.test(filled)) return `${filled} --home ${dir}`
  return filled.startsWith('openclaw ') ? `OPENCLAW_STATE_DIR=${dir} ${filled}` : filled
}

/** One word for a POSIX shell. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Every file of every agent, with where it lies. */
export function* filesOf(
  agents: readonly AgentFacts[],
): Generator<{ agent: AgentFacts; file: FileFacts; path: string }> {
  for (const agent of agents) {
    for (const file of agent.files) yield { agent, file, path: `${agent.sessionsDir}/${file.name}` }
  }
}

/** ` in agent main`, or nothing where there is one agent only. */
export function inAgent(agent: AgentFacts, { facts }: Seen): string {
  return facts.agents.length > 1 ? ` of agent ${agent.id}` : ''
}
