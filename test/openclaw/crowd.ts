import type { AgentPlan, LeftoverPlan, SessionPlan } from './plans.ts'
import { Seeded } from './seeded.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

const peers = [
  (id: string) => `telegram:direct:${id}`,
  (id: string) => `whatsapp:direct:+${id}`,
  (id: string) => `discord:channel:${id}`,
  (id: string) => `telegram:group:-${id}`,
  (id: string) => `slack:channel:c${id}:thread:1712345678.000100`,
  (id: string) => `openai-user:${id}@example.org`,
]

/** Sessions of people, of all kinds, used last between an hour and `days` ago. */
export function people(count: number, { agentId = 'main', days = 30, seed = 1 } = {}): SessionPlan[] {
  const seeded = new Seeded(seed)
  return Array.from({ length: count }, (_, at) => ({
    key: `agent:${agentId}:${seeded.pick(peers)(String(1_000_000 + at))}`,
    ageMs: seeded.whole(hourMs, days * dayMs),
    turns: seeded.whole(1, 4),
  }))
}

/** Sessions of single runs of one scheduled job, an hour apart, the newest first. */
export function cronRuns(count: number, { agentId = 'main', seed = 2 } = {}): SessionPlan[] {
  const seeded = new Seeded(seed)
  const job = seeded.uuid()
  return Array.from({ length: count }, (_, at) => ({
    key: `agent:${agentId}:cron:${job}:run:${seeded.uuid()}`,
    ageMs: (at + 1) * hourMs,
  }))
}

const leftoverKinds: LeftoverPlan['kind'][] = ['deleted', 'deleted', 'reset', 'backup', 'checkpoint', 'trajectory']

function leftovers(count: number, { days = 30, seed = 3 } = {}): LeftoverPlan[] {
  const seeded = new Seeded(seed)
  return Array.from({ length: count }, () => ({
    kind: seeded.pick(leftoverKinds),
    ageMs: seeded.whole(hourMs, days * dayMs),
  }))
}

/** An agent with this many files, as months without cleaning leave one: a tenth bound sessions, half that nobody names, the rest leftovers. */
export function crowdedAgent(files: number, { id = 'main', seed = 1 } = {}): AgentPlan {
  const bound = Math.ceil(files / 10)
  const unbound = Math.floor(files / 2)
  const sessions = people(bound + unbound, { agentId: id, seed })
  return {
    id,
    sessions: sessions.map((plan, at) => (at < bound ? plan : { ...plan, bound: false })),
    leftovers: leftovers(files - bound - unbound - 1, { seed: seed + 1 }),
  }
}
