import type { Clock } from '../../host/clock.ts'
import { isHoldfastError } from '../../model/errors.ts'
import type { Run } from '../changes/begin.ts'
import type { Left, StepNote } from '../changes/run.ts'
import { rootOf } from '../changes/territory.ts'
import type { AgentHome, Home } from '../home/home.ts'
import { applyEntryChanges, type EntryChange, rawEntry } from '../index/edit.ts'
import { type ReadFacts, readWhole, sha256InSlices } from '../index/read.ts'
import { lockIndex } from '../index/store/lock.ts'

/** The new raw text of an entry; null: it is taken out. */
export type EntryEdit = (raw: string) => string | null

export interface IndexChange {
  /** By key. One that is not there any more is passed over. */
  edits: ReadonlyMap<string, EntryEdit>
  note: StepNote
  /** The index as it was is left beside it as `<index>.bak.<ms>`. */
  backup: StepNote | null
}

/** Keys that were changed. */
export type IndexChanged = { done: true; keys: ReadonlySet<string> } | Left

/** For another writer of the index. A gateway is down, so nobody writes for long. Unit: ms. */
const waitMs = 5_000

/**
 * Entries of an index are changed, all at once, and every other byte is as it was; under the lock that early gateways and other tools take, and only if
 * the index is still the one that was looked at. @throws HoldfastError as `Run.hold`
 */
export async function changeIndex(
  run: Run,
  home: Home,
  agent: AgentHome,
  judged: ReadFacts,
  { edits, note, backup }: IndexChange,
  clock: Clock,
): Promise<IndexChanged> {
  const root = rootOf(home, agent.sessionsDir)
  const lockPath = `${agent.indexPath}.lock`
  await run.hold()
  try {
    using _ = await lockIndex(agent, root, clock, clock.steadyMs() + waitMs)
    run.heldLocks.add(lockPath)
    const found = await readWhole(agent.indexPath, root, clock.nowMs())
    if (found.text === null || (await sha256InSlices(found.text.bytes)) !== judged.sha256)
      return left('changed', 'the index has changed since it was looked at')
    const { text, identity } = found
    const changes = changesOf(edits, (key) => rawEntry(text.bytes, text.parsed, key))
    if (changes.length === 0) return left('missing', 'its entry is not there any more')
    if (backup !== null) {
      const copied = await run.create(`${agent.indexPath}.bak.${clock.nowMs()}`, text.bytes, backup)
      if (!copied.done) return copied
    }
    const content = applyEntryChanges(text.bytes, changes, text.parsed)
    const target = { path: agent.indexPath, identity, sha256: judged.sha256 }
    const replaced = await run.replace(target, content, note, changes)
    return replaced.done ? { done: true, keys: new Set(changes.map(({ key }) => key)) } : replaced
  } catch (error) {
    if (isHoldfastError(error, 'HOME_BUSY')) return left('locked', String(error.facts.because))
    throw error
  } finally {
    run.heldLocks.delete(lockPath)
  }
}

function left(why: Left['left'], because: string): Left {
  return { done: false, left: why, because }
}

function changesOf(edits: IndexChange['edits'], rawOf: (key: string) => string | null): EntryChange[] {
  const changes: EntryChange[] = []
  for (const [key, edit] of edits) {
    const before = rawOf(key)
    if (before === null) continue
    const after = edit(before)
    if (after !== before) changes.push({ key, before, after })
  }
  return changes
}
