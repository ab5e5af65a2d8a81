import { sha256 } from '../../host/random.ts'
import { isHoldfastError } from '../../model/errors.ts'
import { parseSessionKey, type SessionKey } from '../../model/keys.ts'

/**
 * Between a gateway's session keys, which may hold any character, and ours. Nearly all are the same in both. In the others each byte
 * that ours refuse stands as `=` and two hex digits (`!` as `=21`), and so does `=` itself; keys without an agent in front
 * (`global`) get one: `agent:main:unscoped:global`. So two different keys never become one, and each way has its way back.
 */

/** What stands in an agent's key where the gateway's own has no agent, and where a transcript has no key at all. */
const unscoped = 'unscoped'
const unbound = 'unbound'
const reserved = new RegExp(`^(?:${unscoped}|${unbound}):`)
const agentKey = /^agent:[a-z0-9][a-z0-9_-]{0,63}:(?=.)/s
/** `=` followed by two digits in a key of theirs would be read as an escape. */
const looksEscaped = /=[0-9A-F]{2}/
const refused = /[^A-Za-z0-9._:@+~-]/u

/** Longer ones are cut and end in a hash: their way back is what is carried along with the session. */
const hashLength = 32

/** `agentId` is the agent in whose home the key was found; it is one that {@link parseSessionKey} takes. */
export function keyToOurs(key: string, agentId: string): SessionKey {
  const scope = agentKey.exec(key)?.[0] ?? null
  const isTaken = scope !== null && reserved.test(key.slice(scope.length))
  if (scope !== null && !isTaken && !looksEscaped.test(key)) {
    const same = parsed(key)
    if (same !== null) return same
  }
  const rest = scope === null ? key : key.slice(scope.length)
  const plain = escaped(rest, isTaken ? 1 : 0)
  const whole = scope === null ? `agent:${agentId}:${unscoped}:${plain}` : scope + plain
  return fitting(whole, key)
}

function fitting(whole: string, key: string): SessionKey {
  return parsed(whole) ?? parseSessionKey(`${whole.slice(0, 200)}~${sha256(key).slice(0, hashLength)}`)
}

/** Of a transcript that no index knows, by its name. */
export function keyOfUnbound(name: string, agentId: string): SessionKey {
  return fitting(`agent:${agentId}:${unbound}:${escaped(name, 0)}`, name)
}

/** What {@link keyToOurs} was given; for one that was too long, the key as it is. */
export function keyToTheirs(key: SessionKey): string {
  const [, agent = '', first] = key.split(':', 3)
  const text = first === unscoped ? key.slice(`agent:${agent}:${unscoped}:`.length) : key
  if (!looksEscaped.test(text)) return text
  const bytes = text.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function parsed(key: string): SessionKey | null {
  try {
    return parseSessionKey(key)
  } catch (error) {
    if (isHoldfastError(error, 'SESSION_KEY_INVALID')) return null
    throw error
  }
}

/** The first `always` characters are escaped in any case, and a point after a point. */
function escaped(text: string, always: number): string {
  const characters = [...text]
  const pieces = characters.map((character, at) => {
    const isSecondPoint = character === '.' && characters[at - 1] === '.'
    return at < always || isSecondPoint || refused.test(character) ? bytesOf(character) : character
  })
  return pieces.join('')
}

function bytesOf(character: string): string {
  return [...Buffer.from(character)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
