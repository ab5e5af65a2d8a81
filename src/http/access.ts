import { createHash, timingSafeEqual } from 'node:crypto'
import { HoldfastError, isHoldfastError } from '../model/errors.ts'

/** Who may talk to the gateway over TCP. The local socket and calls inside the process skip these rules. */
export interface AccessRules {
  /** The address or name it was told to listen on. */
  host: string
  /** Null: no token is asked for, which only loopback may do. */
  token: string | null
  /** What other gateways on the same store show, which may follow turns with it and nothing else; null where there are none. */
  peerToken: string | null
  /** Names with or without a port; without one, any port. */
  allowedHosts: readonly string[]
}

/** What is known of one request's connection. */
export interface Connection {
  localAddress: string | undefined
  localPort: number | undefined
}

/**
 * Everybody on the network could read and write every session otherwise.
 * @throws HoldfastError CONFIG_INVALID when an address other than loopback has no token
 */
export function checkBinding(host: string, hasToken: boolean): void {
  if (hasToken || isLoopback(host)) return
  throw new HoldfastError('CONFIG_INVALID', {
    because: `server.host: ${host} is open to the network, which needs a token; set server.tokenEnv or --token-env`,
  })
}

function isLoopback(host: string): boolean {
  const name = withoutBrackets(host.toLowerCase())
  return name === 'localhost' || name === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
}

/**
 * A page in a browser can name this address (DNS rebinding) or post to it; neither its Host nor its Origin is ours.
 * @throws HoldfastError HOST_REFUSED
 */
export function checkNames(headers: Headers, rules: AccessRules, connection: Connection): void {
  if (!isAllowedName(headers.get('host'), rules, connection)) throw refused('the Host header is not allowed')
  const origin = headers.get('origin')
  if (origin === null) return
  const match = /^https?:\/\/(.+)$/.exec(origin.toLowerCase())
  if (!isAllowedName(match?.[1] ?? null, rules, connection)) throw refused('the Origin header is not allowed')
}

function refused(because: string): HoldfastError {
  return new HoldfastError('HOST_REFUSED', { because })
}

function isAllowedName(found: string | null, rules: AccessRules, { localAddress, localPort }: Connection): boolean {
  const asked = found === null ? null : splitName(found)
  if (asked === null) return false
  const own = ['localhost', '127.0.0.1', '::1', withoutBrackets(rules.host.toLowerCase()), plainAddress(localAddress)]
  const portFits = asked.port === null || asked.port === localPort
  if (portFits && own.includes(asked.name)) return true
  return rules.allowedHosts.some((allowed) => {
    const wanted = splitName(allowed)
    return wanted !== null && wanted.name === asked.name && (wanted.port === null || wanted.port === asked.port)
  })
}

/** `name`, `name:80`, `[::1]:80` and a bare `::1`; lower case, without brackets or the dot of the DNS root. */
function splitName(text: string): { name: string; port: number | null } | null {
  const match = /^(\[[0-9a-f:.]+\]|[^:\s/@[\]]+)(?::(\d{1,5}))?$/.exec(text.toLowerCase())
  if (match === null) return /^[0-9a-f:]+$/i.test(text) ? { name: text.toLowerCase(), port: null } : null
  const name = withoutBrackets(match[1] as string).replace(/\.$/, '')
  return { name, port: match[2] === undefined ? null : Number(match[2]) }
}

function withoutBrackets(name: string): string {
  return name.replace(/^\[(.*)\]$/, '$1')
}

/** A socket that listens on `::` gives IPv4 addresses in IPv6 clothes. */
function plainAddress(address: string | undefined): string | undefined {
  return address?.toLowerCase().replace(/^::ffff:/, '')
}

/** Compares in constant time; hashes have equal lengths. @throws HoldfastError AUTH_REQUIRED */
export function checkToken(authorization: string | null, token: string): void {
  const match = /^bearer +(.+)$/i.exec(authorization ?? '')
  const fits = timingSafeEqual(digestOf(match?.[1] ?? ''), digestOf(token))
  if (match === null || !fits) throw new HoldfastError('AUTH_REQUIRED')
}

/** Another gateway that follows a turn for a client of its own. */
export function isPeer(authorization: string | null, peerToken: string | null): boolean {
  if (peerToken === null) return false
  try {
    checkToken(authorization, peerToken)
    return true
  } catch (error) {
    if (isHoldfastError(error, 'AUTH_REQUIRED')) return false
    throw error
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
