import type { SessionKind } from '../../model/keys.ts'

/**
 * How a session is treated by what bounds a home. `protected`: the main session, groups, channels, rooms, threads and topics, where
 * many people or a person's own history would be missed; `errand`: made by a machine for one purpose, first to go; `ordinary`: the rest,
 * direct chats among them.
 */
type Standing = 'protected' | 'ordinary' | 'errand'

export interface KeyFacts {
  kind: SessionKind
  /** null in a key without an agent: `global`, `unknown`, and those of early releases. */
  agentId: string | null
  standing: Standing
}

/**
 * What a gateway's session key says. Any text is taken: a gateway's keys hold characters that ours refuse (`!room:example.org`), and
 * some have no agent in front. What is an errand is told by how the key begins, so that a group which is called `cron` is none.
 */
export function factsOfKey(key: string): KeyFacts {
  const { agentId, rest } = unwrapped(key)
  const kind = kindOfRest(rest)
  return { kind, agentId, standing: standingOf(kind, rest) }
}

/** A key may be wrapped more than once: `agent:main:agent:main:telegram:direct:42`. */
function unwrapped(key: string): { agentId: string | null; rest: string } {
  const text = key.trim().toLowerCase()
  const wrapping = /^(?:agent:[^:]+:)+(?=.)/s.exec(text)?.[0] ?? ''
  return { agentId: wrapping.split(':', 2)[1] ?? null, rest: text.slice(wrapping.length) }
}

function kindOfRest(rest: string): SessionKind {
  if (/^cron:[^:]+:run:[^:]/.test(rest)) return 'cron-run'
  if (/^cron:/.test(rest)) return 'cron'
  if (/^subagent:/.test(rest)) return 'subagent'
  if (/^hook:/.test(rest)) return 'hook'
  if (/(?:^|:)heartbeat(?:$|:)/.test(rest)) return 'heartbeat'
  if (/^(?:main|global)$/.test(rest)) return 'main'
  if (/(?:^|:)(?:thread|topic):/.test(rest)) return 'thread'
  if (/(?:^|:)(?:group|channel|room):/.test(rest)) return 'group'
  if (/(?:^|:)(?:direct|dm|user|chat):/.test(rest)) return 'direct'
  return 'other'
}

const machines = /^(?:acp:|acp-bridge:|node:|explicit:model-run-)/

function standingOf(kind: SessionKind, rest: string): Standing {
  switch (kind) {
    case 'main':
    case 'group':
    case 'thread':
      return machines.test(rest) ? 'errand' : 'protected'
    case 'cron':
    case 'cron-run':
    case 'subagent':
    case 'hook':
    case 'heartbeat':
      return 'errand'
    case 'direct':
    case 'other':
      return machines.test(rest) ? 'errand' : 'ordinary'
  }
}
