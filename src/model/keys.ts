import { HoldfastError } from './errors.ts'

/** The routing identity of a conversation: `agent:<agentId>:<rest>`. Made by {@link parseSessionKey} only. */
export type SessionKey = string & { readonly __brand: 'SessionKey' }

export const sessionKinds = [
  'main',
  'direct',
  'group',
  'thread',
  'cron',
  'cron-run',
  'subagent',
  'heartbeat',
  'hook',
  'other',
] as const
export type SessionKind = (typeof sessionKinds)[number]

/** Sessions in which people talk; the others live for one errand. */
export const peopleKinds: readonly SessionKind[] = ['main', 'direct', 'group', 'thread', 'other']

/** One row, one log field, one file name: longer keys are refused, not cut. Unit: UTF-16 code units (all ASCII). */
const sessionKeyLengthMax = 255

const keyPattern = /^agent:[a-z0-9][a-z0-9_-]{0,63}:[A-Za-z0-9._:@+~=-]+$/

/**
 * Accepts a full key (`agent:main:telegram:direct:42`), or a short one (`alice`), which means `agent:main:alice`.
 * Letters, digits and `. _ : @ + ~ = -`; at most 255 characters; never `..`, `/` or NUL, so that a key can be one
 * row and one file name.
 * @throws HoldfastError SESSION_KEY_INVALID
 */
export function parseSessionKey(text: string): SessionKey {
  const full = text.startsWith('agent:') ? text : `agent:main:${text}`
  if (full.length > sessionKeyLengthMax) throw keyInvalid(text, `it has more than ${sessionKeyLengthMax} characters`)
  if (full.includes('..')) throw keyInvalid(text, 'it contains ".."')
  if (!keyPattern.test(full)) throw keyInvalid(text, 'it has a character or a shape that is not allowed')
  return full as SessionKey // the only cast
}

function keyInvalid(text: string, because: string): HoldfastError {
  return new HoldfastError('SESSION_KEY_INVALID', { because, length: text.length })
}

export function agentOf(key: SessionKey): string {
  return key.split(':', 2)[1] as string
}

/** The kind is read from the key's own segments; the last telling segment wins, so a cron run is not a cron job. */
export function kindOf(key: SessionKey): SessionKind {
  const rest = key.split(':').slice(2)
  if (rest.at(-1) === 'heartbeat') return 'heartbeat'
  if (rest.includes('subagent')) return 'subagent'
  if (rest[0] === 'cron') return rest[2] === 'run' ? 'cron-run' : 'cron'
  if (rest[0] === 'hook') return 'hook'
  if (rest.includes('thread') || rest.includes('topic')) return 'thread'
  if (rest.some((part) => part === 'group' || part === 'channel' || part === 'room')) return 'group'
  if (rest.some((part) => part === 'direct' || part === 'user' || part === 'chat')) return 'direct'
  if (rest.length === 1 && rest[0] === 'main') return 'main'
  return 'other'
}
