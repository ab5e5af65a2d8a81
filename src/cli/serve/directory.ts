import type { Clock } from '../../host/clock.ts'
import { makeDirectory } from '../../host/files.ts'
import { packageVersion } from '../../host/version.ts'
import { HoldfastError } from '../../model/errors.ts'
import type { Holder } from '../../model/holders.ts'
import { readOwner, removeOwner, writeOwner } from '../../sqlite/owner.ts'
import { probeSocket } from '../reach/probe.ts'

/** The directory of a gateway whose store is elsewhere: for its socket, its archives, and commands on this machine. */
export interface GatewayDirectory {
  tell(holder: Holder, where: { address: string; socket: string }): void
  leave(): void
}

/** @throws HoldfastError STORE_IN_USE when another gateway answers there */
export async function takeDirectory(path: string, clock: Clock): Promise<GatewayDirectory> {
  makeDirectory(path)
  const owner = readOwner(path)
  if (owner?.socket != null && (await probeSocket(owner.socket, clock)) !== 'nobody') {
    throw new HoldfastError('STORE_IN_USE', { directory: path, pid: owner.pid, address: owner.address })
  }
  return {
    tell: ({ pid, sinceMs, host }, where) =>
      writeOwner(path, { pid, sinceMs, host, ...where, version: packageVersion() }),
    leave: () => removeOwner(path),
  }
}
