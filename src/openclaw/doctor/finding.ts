import { formatDuration } from '../../model/units.ts'
import { type CleanInput, planClean } from '../clean/plan/plan.ts'
import type { CleanPlan } from '../clean/steps.ts'
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

/** A file of a sessions directory, and where it lies. Of a hundred thousand only a few are asked for their path. */
export class Placed {
  readonly agent: AgentFacts
  readonly file: FileFacts

  constructor(agent: AgentFacts, file: FileFacts) {
    this.agent = agent
    this.file = file
  }

  get path(): string {
    return `${this.agent.sessionsDir}/${this.file.name}`
  }
}

export interface Seen {
  facts: HomeFacts
  around: Around
  /** Of all agents. */
  files: readonly Placed[]
  /** What `holdfast clean` would take, whatever the mode of the home is: so that its command ends what it is named for. */
  plan: CleanPlan
  parents: Parents
  /** Several homes are looked after: commands say which one. */
  named: boolean
}

/** By agent: of a transcript that continues another one, by its name, the name of that. */
export type Parents = CleanInput['parents']

export function seenOf(facts: HomeFacts, around: Around, parents: Parents, named: boolean): Seen {
  const files = facts.agents.flatMap((agent) => agent.files.map((file) => new Placed(agent, file)))
  const policy = { ...facts.home.policy, mode: 'enforce' as const }
  const cleaned = { ...facts, home: { ...facts.home, policy } }
  const plan = planClean({ facts: cleaned, parents, trustClock: true, throughGateway: false })
  return { facts, around, files, plan, parents, named }
}

interface Found<Item> {
  evidence: string
  /** What was found, the worst first. */
  items: readonly Item[]
  example?: (item: Item) => Partial<Example>
  bytes?: number
  /** Instead of the one in the catalog. */
  fix?: string
}

/** One finding for everything that has this code; none where nothing was found. */
export function finding<Item>(seen: Seen, code: FindingCode, found: Found<Item>): Finding[] {
  const { severity, title, fix } = findingCatalog[code]
  const { evidence, items, bytes = null } = found
  if (items.length === 0) return []
  const examples: Partial<Example>[] = found.example === undefined ? [] : items.slice(0, examplesMax).map(found.example)
  return [
    {
      code,
      severity,
      title,
      evidence,
      fix: commandOf(found.fix ?? fix, seen),
      count: items.length,
      bytes,
      examples: examples.map(({ agent = null, key = null, path = null, says = '' }) => ({ agent, key, path, says })),
    },
  ]
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

export function sumOf<Item>(items: readonly Item[], numberOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + numberOf(item), 0)
}

/** A clock that jumped never gives a negative age. */
export function agoOf(atMs: number, nowMs: number): string {
  return nowMs - atMs < 1_000 ? 'just now' : `${formatDuration(nowMs - atMs)} ago`
}

/** The first three, and how many more there are. */
export function listOf(texts: readonly string[]): string {
  const more = texts.length - 3
  return texts.slice(0, 3).join('; ') + (more > 0 ? `; and ${more.toLocaleString('en-US')} more` : '')
}
