import { isSystemError } from '../../host/files.ts'
import { HoldfastError } from '../../model/errors.ts'
import { type Owner, readOwner } from '../../sqlite/owner.ts'
import { dataDirectory } from '../config/read.ts'
import type { CommandOptions } from '../options.ts'
import type { Terminal } from '../terminal.ts'
import { Api } from './api.ts'
import { socketFetch } from './fetch.ts'
import { type Need, type Probe, planReach } from './plan.ts'
import { probeSocket } from './probe.ts'

/**
 * The API over the data of this command line: through the gateway that runs, else from the store in this process.
 * @throws HoldfastError STORE_ codes of opening, GATEWAY_SILENT
 */
export async function reach(need: Need, options: CommandOptions, terminal: Terminal): Promise<Api> {
  const directory = await dataDirectory(options, terminal)
  const owner = ownerOf(directory)
  const plan = planReach(need, owner, await probe(owner?.socket ?? null, terminal))
  switch (plan.kind) {
    case 'ask the gateway':
      return new Api({ via: 'gateway', fetch: socketFetch(plan.socket) })
    case 'refuse':
      throw new HoldfastError('GATEWAY_SILENT', { because: plan.because, pid: plan.pid })
    case 'read beside the owner': {
      terminal.note(`holdfast: ${plan.note}`)
      const { openForReading } = await import('./in-process.ts')
      return new Api({ via: 'beside a silent gateway', ...(await openForReading(directory, options, terminal)) })
    }
    case 'read alone': {
      const { openForReading } = await import('./in-process.ts')
      return new Api({ via: 'store', ...(await openForReading(directory, options, terminal)) })
    }
    case 'open the store': {
      const { openForWriting } = await import('./in-process.ts')
      return new Api({ via: 'store', ...(await openForWriting(directory, options, terminal)) })
    }
  }
}

export interface GatewayOptions extends CommandOptions {
  gateway?: string
  tokenEnv?: string
}

/**
 * The API of a gateway that runs: the one at `--gateway`, else the one on this data.
 * @throws HoldfastError GATEWAY_UNREACHABLE, GATEWAY_SILENT, USAGE
 */
export async function reachGateway(options: GatewayOptions, terminal: Terminal): Promise<Api> {
  if (options.gateway !== undefined) {
    const headers = tokenHeaders(options.tokenEnv, terminal.outside.env)
    return new Api({ via: 'gateway', fetch, origin: originOf(options.gateway), headers })
  }
  const directory = await dataDirectory(options, terminal)
  const owner = ownerOf(directory)
  const found = await probe(owner?.socket ?? null, terminal)
  const plan = planReach('write', owner, found)
  if (plan.kind === 'ask the gateway') return new Api({ via: 'gateway', fetch: socketFetch(plan.socket) })
  if (plan.kind === 'refuse') throw new HoldfastError('GATEWAY_SILENT', { because: plan.because, pid: plan.pid })
  throw new HoldfastError('GATEWAY_UNREACHABLE', { because: `none runs on ${directory}` })
}

export function ownerOf(directory: string): Owner | null {
  try {
    return readOwner(directory)
  } catch (error) {
    if (!isSystemError(error, 'EACCES', 'EPERM')) throw error
    throw new HoldfastError('STORE_PERMISSION', { because: directory }, { cause: error })
  }
}

async function probe(socket: string | null, terminal: Terminal): Promise<Probe> {
  return socket === null ? 'nobody' : await probeSocket(socket, terminal.outside.clock)
}

/** `http://host:4747/v1/` is how other clients have it written down. */
function originOf(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new HoldfastError('USAGE', { because: `--gateway must be an address such as http://127.0.0.1:4747` })
  }
  return url.origin + url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')
}

function tokenHeaders(
  name: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  if (name === undefined) return {}
  const token = env[name]
  if (token === undefined || token === '')
    throw new HoldfastError('USAGE', { because: `--token-env: $${name} is not set` })
  return { authorization: `Bearer ${token}` }
}
