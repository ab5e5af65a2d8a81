import { type CleanInput, planClean } from '../../../src/openclaw/clean/plan/plan.ts'
import { defaultHomePolicy, type HomePolicy } from '../../../src/openclaw/home/policy.ts'
import type { EntryFacts } from '../../../src/openclaw/index/facts.ts'
import type { AgentFacts, FileFacts, HomeFacts } from '../../../src/openclaw/survey/facts.ts'
import { agentFacts, entryFacts, fileOf, healthyFacts, nowMs, readIndexOf } from '../facts.ts'

export const direct = 'agent:main:telegram:direct:1'
export const run = 'agent:main:cron:j:run:r'

export interface Scene {
  entries?: EntryFacts[]
  files?: FileFacts[]
  agent?: Partial<AgentFacts>
  facts?: Partial<HomeFacts>
  policy?: Partial<HomePolicy>
  input?: Partial<CleanInput>
}

export function plan({ entries = [], files = [], agent = {}, facts = {}, policy = {}, input = {} }: Scene) {
  const healthy = healthyFacts(facts)
  // one that always stays, so that an index is never empty for want of another entry
  const stays = entryFacts('agent:main:main', 'today')
  const own = { index: readIndexOf([stays, ...entries]), files: [fileOf('today.jsonl'), ...files], ...agent }
  return planClean({
    facts: {
      ...healthy,
      home: { ...healthy.home, policy: { ...defaultHomePolicy, ...policy } },
      agents: [agentFacts(own)],
    },
    parents: new Map(),
    trustClock: false,
    throughGateway: false,
    ...input,
  })
}

/** What is done, in short: `drop-entry agent:main:…`, `archive-transcript a.jsonl`. */
export function short(scene: Scene): string[] {
  return plan(scene).steps.map(
    ({ kind, path, key }) => `${kind} ${kind === 'drop-entry' ? key : path.split('/').at(-1)}`,
  )
}

export const ago = (ms: number) => nowMs - ms
export const old = (name: string, ageMs: number, more: Partial<FileFacts> = {}) =>
  fileOf(name, { mtimeMs: ago(ageMs), ...more })

/** A session that was used so long ago, with its transcript. */
export const used = (key: string, id: string, ageMs: number, more: Partial<EntryFacts> = {}): Scene => ({
  entries: [entryFacts(key, id, { usedAtMs: ago(ageMs), ...more })],
  files: [old(`${id}.jsonl`, ageMs)],
})

export function indexWith({ entries = [] }: Scene) {
  return readIndexOf([entryFacts('agent:main:main', 'today'), ...entries])
}
