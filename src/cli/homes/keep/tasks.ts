import { formatDuration } from '../../../model/units.ts'
import { expireArchives } from '../../../openclaw/changes/archives/expire.ts'
import { cleanHome } from '../../../openclaw/clean/clean.ts'
import { clearLocks } from '../../../openclaw/clean/locks.ts'
import { gatewayFacts } from '../../../openclaw/gateway/running.ts'
import type { Home } from '../../../openclaw/home/home.ts'
import type { Cause } from '../../../openclaw/keep/alerts.ts'
import type { TaskReport, Tasks } from '../../../openclaw/keep/keeper.ts'
import { lookAtLocks } from '../../../openclaw/locks/look.ts'
import type { JudgedLock } from '../../../openclaw/locks/verdict.ts'
import type { Terminal } from '../../terminal.ts'
import { gatewayFor, outsideFor } from '../ground.ts'
import { cleanByGateway } from '../openclaw.ts'

/** What the keeper does to a home: the same that the commands do, found anew each time since homes change. */
export function tasksOf(open: (home: string) => Promise<Home>, agents: readonly string[], terminal: Terminal): Tasks {
  return {
    locks: async (dir) => await lookAfterLocks(await open(dir), terminal),
    clean: async (dir) => await clean(await open(dir), agents, terminal),
    archives: async (dir) => await expire(await open(dir), terminal),
  }
}

/** A lock that nobody can judge is told of after this long: a gateway needs a moment for writing one. Unit: ms. */
const unknownAfterMs = 10 * 60_000

/**
 * A gateway takes a lock of an ended process itself at the next message. 2026.5 fails that turn when the file is gone between its two looks
 * at it, so one that is new is left to it; one that stands has nobody who waits for it right now. Unit: ms.
 */
const standsMs = 60_000

/**
 * With no gateway at work a stale lock blocks nobody, and to the next start it tells which turn was interrupted: it is left to
 * `prestart` and to the gateway itself then.
 */
async function lookAfterLocks(home: Home, terminal: Terminal): Promise<TaskReport> {
  const { clock, nowMs, readProcesses, temporary } = outsideFor(home, terminal)
  const { agents, around, unreadable } = await lookAtLocks(home, readProcesses, nowMs)
  const gateway = await gatewayFacts(home, around, temporary)
  const locks = agents.flatMap((agent) => agent.locks)
  const isNew = ({ mtimeMs }: JudgedLock) => mtimeMs <= nowMs() && nowMs() - mtimeMs < standsMs
  const stale = gateway.state === 'stopped' ? [] : locks.filter((lock) => !isNew(lock))
  const cleared = await clearLocks(home, stale, { command: 'keep', dryRun: false }, clock)
  return {
    ...cleared,
    causes: [
      ...locks.flatMap((lock) => causeOf(home.dir, lock)),
      ...unreadable.map(({ path, because }) => ({
        code: 'HOME_UNREADABLE',
        home: home.dir,
        subject: path,
        text: `${path} cannot be looked at: ${because}`,
      })),
    ],
  }
}

function causeOf(home: string, { path, verdict, overdue, ageMs, proof, operation }: JudgedLock): Cause[] {
  const about = { home, subject: path }
  const held = formatDuration(ageMs)
  if (verdict === 'live' && overdue) {
    const by = operation === null ? '' : ` by ${operation}`
    return [{ ...about, code: 'LOCK_OVERDUE', text: `${path} is held for ${held}${by}, longer than it said: ${proof}` }]
  }
  if (verdict === 'unknown' && ageMs >= unknownAfterMs) {
    return [{ ...about, code: 'LOCK_UNKNOWN', text: `${path} is there for ${held}; by whom cannot be told: ${proof}` }]
  }
  return []
}

/** The rules of the home decide whether anything is done. What waits for the gateway to be down is no cause for anybody. */
async function clean(home: Home, agents: readonly string[], terminal: Terminal): Promise<TaskReport> {
  if (home.generation === 'sqlite') {
    const asked = { do: home.policy.mode === 'enforce', agents, openclaw: undefined }
    const steps = await cleanByGateway(home, asked, await gatewayFor(home, terminal), terminal)
    return { steps, manifest: null, causes: [] }
  }
  const how = { dryRun: false, trustClock: false, throughGateway: false as const }
  const cleaned = await cleanHome(home, how, { ...outsideFor(home, terminal), told: () => {} })
  const unread = home.unreadable.map(({ path, because }) => ({
    code: 'HOME_UNREADABLE',
    home: home.dir,
    subject: path,
    text: `${path}: ${because}`,
  }))
  return { steps: cleaned.steps, manifest: cleaned.manifest, causes: unread }
}

async function expire(home: Home, terminal: Terminal): Promise<TaskReport> {
  const dryRun = home.policy.mode !== 'enforce'
  const steps = await expireArchives(home, home.policy, { clock: terminal.outside.clock, dryRun })
  return { steps, manifest: null, causes: [] }
}
