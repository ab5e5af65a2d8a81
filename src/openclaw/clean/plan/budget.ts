import { formatSize } from '../../../model/units.ts'
import type { HomePolicy } from '../../home/policy.ts'
import type { AgentFacts, FileFacts } from '../../survey/facts.ts'
import { type Going, oldestFirst } from './going.ts'
import type { LooseFile } from './loose.ts'
import type { Session } from './sessions.ts'
import type { Staying } from './stay.ts'

export interface Budgeted {
  sessions: Going[]
  files: LooseFile[]
  /** What is still missing when all of this is done, for people; null: nothing is. */
  missing: string | null
}

/**
 * What else goes where an agent's files take more than the budget, until the low mark is reached: what is left over and no session needs, then
 * errands, then what people talked about longest ago. Who stays, stays: then the budget cannot be met, and that is said.
 */
export function budgetOf(
  agent: AgentFacts,
  sessions: readonly Session[] | null,
  planned: { sessions: readonly Going[]; files: readonly LooseFile[] },
  stay: Staying,
  policy: HomePolicy,
): Budgeted {
  const { diskBudget, sources } = policy
  const found: Budgeted = { sessions: [], files: [], missing: null }
  if (diskBudget === null) return found
  const isIndexHere = agent.files.some(({ kind }) => kind === 'index')
  const total = bytesOf(agent.files)
  let used = total
  /** Counted once, however often it is named. */
  const gone = new Set<FileFacts>()
  const take = (files: readonly FileFacts[]) => {
    const fresh = files.filter((file) => !gone.has(file))
    for (const file of fresh) gone.add(file)
    used -= bytesOf(fresh)
  }
  const takeSession = ({ entries, files }: Session) => {
    take(files)
    if (isIndexHere) used -= bytesOf(entries)
  }
  const goneSessions = new Set(planned.sessions.map(({ session }) => session))
  take(planned.files.map(({ file }) => file))
  for (const session of goneSessions) takeSession(session)
  if (used <= diskBudget.maxBytes) return found
  const from = sources.diskBudget === undefined ? '' : ` (${sources.diskBudget})`
  const because = `all files take ${formatSize(total)}, the budget is ${formatSize(diskBudget.maxBytes)}${from}`
  const isMet = () => used <= diskBudget.lowBytes
  for (const file of looseOf(agent, sessions, gone, stay, policy)) {
    if (isMet()) break
    found.files.push({ kind: file.kind === 'transcript' ? 'archive-transcript' : 'archive-leftover', file, because })
    take([file])
  }
  const open = oldestFirst((sessions ?? []).filter((each) => !goneSessions.has(each) && each.usedAtMs > 0))
  for (const session of [...open.filter(({ isErrand }) => isErrand), ...open.filter(({ isErrand }) => !isErrand)]) {
    if (isMet()) break
    if (stay.session(session) !== null) continue
    found.sessions.push({ session, because })
    takeSession(session)
  }
  if (!isMet()) {
    const left = `what is left takes ${formatSize(Math.max(0, used))} and must stay`
    found.missing = `The disk budget of agent ${agent.id} cannot be met: ${because}; ${left}.`
  }
  return found
}

function bytesOf(items: readonly { bytes: number }[]): number {
  return items.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Kinds that nobody needs who is not looking for something that is gone already. */
const rubbish: ReadonlySet<FileFacts['kind']> = new Set(['deleted', 'backup', 'corrupt', 'reset', 'transcript'])

function looseOf(
  agent: AgentFacts,
  sessions: readonly Session[] | null,
  gone: ReadonlySet<FileFacts>,
  stay: Staying,
  { resetMs }: HomePolicy,
): FileFacts[] {
  const inUse = sessions === null ? null : new Set(sessions.flatMap(({ files }) => files))
  return agent.files
    .filter((file) => {
      if (!rubbish.has(file.kind) || gone.has(file) || stay.file(file) !== null) return false
      if (file.kind === 'reset' && resetMs === null) return false // a person wants to keep it
      return file.kind !== 'transcript' || (inUse !== null && !inUse.has(file))
    })
    .sort((a, b) => a.mtimeMs - b.mtimeMs || (a.name < b.name ? -1 : 1))
}
