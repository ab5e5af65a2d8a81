import { basename, dirname, join } from 'node:path'
import type { Clock } from '../../../host/clock.ts'
import { HoldfastError } from '../../../model/errors.ts'
import { createInside } from '../../files/create.ts'
import type { AgentHome } from '../../home/home.ts'
import type { HomePolicy } from '../../home/policy.ts'
import { type EntryChange, patchEntry, rawEntry } from '../edit.ts'
import { type IndexText, readIndexText } from '../read.ts'
import { type Pruned, planUpkeep, type Rotation, type Surroundings, type UpkeepPlan } from './upkeep.ts'
import type { IndexView } from './view.ts'

/** What upkeep needs of whoever keeps sessions in the index. */
export interface Keeping {
  policy: HomePolicy
  /** Asked right before each plan. */
  around(): Promise<Surroundings>
  /**
   * Takes files out of the sessions directory, each to where it can be had back from, and gives the names of those that it took. One that was
   * changed meanwhile, or is locked, it leaves.
   */
  archive(files: readonly ArchiveItem[]): Promise<ReadonlySet<string>>
}

export interface ArchiveItem {
  /** In the sessions directory. */
  name: string
  /** Of the session whose transcript it is; null for a copy of the index. */
  key: string | null
  because: string
}

export interface Upkept {
  plan: UpkeepPlan
  /** What of it was done; nothing where the policy says `warn` or `off`. */
  pruned: Pruned[]
  rotated: boolean
}

export interface Updates {
  update(edit: (index: IndexView) => readonly EntryChange[]): Promise<readonly EntryChange[]>
}

/**
 * The index and its transcripts are within the policy, as far as nobody is at work on them. First entries go, then their transcripts: what a kill
 * leaves between the two is a file that no entry names. An entry whose transcript could not be taken comes back as it was, unless its key
 * has a new one by then.
 * @throws HoldfastError as `update`
 */
export async function maintain(
  agent: AgentHome,
  root: string,
  clock: Clock,
  keeping: Keeping,
  store: Updates,
): Promise<Upkept> {
  const { facts, text } = await readIndexText(agent, root, clock.nowMs())
  if (facts.state === 'unreadable') throw new HoldfastError('INDEX_UNREADABLE', { because: facts.because })
  const plan = planUpkeep(facts, await keeping.around(), keeping.policy, clock.nowMs())
  if (text === null || keeping.policy.mode !== 'enforce') return { plan, pruned: [], rotated: false }
  const gone = await store.update(stillAsPlanned(dropping(plan.prune, text)))
  const pruned = await archiveTranscripts(plan.prune, gone, keeping, store)
  const rotated = plan.rotate !== null && (await rotate(agent, root, clock, plan.rotate, pruned, text, keeping, store))
  return { plan, pruned, rotated }
}

/** Those whose entry nobody has changed since. */
function stillAsPlanned(changes: readonly EntryChange[]): (index: IndexView) => readonly EntryChange[] {
  return ({ raw }) => changes.filter(({ key, before }) => raw(key) === before)
}

function dropping(prune: readonly Pruned[], { bytes, parsed }: IndexText): EntryChange[] {
  return prune.map(({ key }) => ({ key, before: rawEntry(bytes, parsed, key), after: null }))
}

/** Gives what went with all that belongs to it. */
async function archiveTranscripts(
  prune: readonly Pruned[],
  gone: readonly EntryChange[],
  { archive }: Keeping,
  store: Updates,
): Promise<Pruned[]> {
  const changes = new Map(gone.map((change) => [change.key, change]))
  const done = prune.filter(({ key }) => changes.has(key))
  const items = done.flatMap(({ key, transcript, because }) =>
    transcript === null ? [] : { name: transcript, key, because },
  )
  let taken: ReadonlySet<string> = new Set()
  try {
    if (items.length > 0) taken = await archive(items)
  } finally {
    const stay = done.filter(({ transcript }) => transcript !== null && !taken.has(transcript))
    const back = stay.map(({ key }) => ({ key, before: null, after: changes.get(key)?.before ?? null }))
    if (back.length > 0) await store.update(stillAsPlanned(back))
  }
  return done.filter(({ transcript }) => transcript === null || taken.has(transcript))
}

async function rotate(
  agent: AgentHome,
  root: string,
  clock: Clock,
  { fields, expired, because }: Rotation,
  pruned: readonly Pruned[],
  { bytes, parsed }: IndexText,
  { around, archive }: Keeping,
  store: Updates,
): Promise<boolean> {
  const path = join(dirname(agent.indexPath), `${basename(agent.indexPath)}.bak.${clock.nowMs()}`)
  await createInside(root, path, bytes)
  const { busy } = await around()
  const without = Object.fromEntries(fields.map((field) => [field, undefined]))
  const keys = new Set(parsed.members.map(({ key }) => key))
  for (const { key } of pruned) keys.delete(key)
  const changes = [...keys].flatMap((key): EntryChange[] => {
    const before = rawEntry(bytes, parsed, key)
    if (before === null || !before.startsWith('{') || busy.has(key)) return []
    const after = patchEntry(before, without)
    return after === before ? [] : [{ key, before, after }]
  })
  await store.update(stillAsPlanned(changes))
  if (expired.length > 0) await archive(expired.map((name) => ({ name, key: null, because })))
  return true
}
