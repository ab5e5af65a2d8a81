import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gateway, Place } from './gateway.ts'

/** Makes calls on the store's files fail, in a gateway that runs, until it is disposed of. */
export interface Fault extends AsyncDisposable {
  end(): Promise<void>
}

/** `inject` in the words of strace, such as `pwrite64:error=ENOSPC`. */
export async function injectFault(gateway: Gateway, place: Place, inject: string): Promise<Fault> {
  const [call] = inject.split(':') as [string]
  const files = ['holdfast.sqlite', 'holdfast.sqlite-wal'].flatMap((name) => ['-P', join(place.data, name)])
  const tracer = spawn(
    'strace',
    ['-f', '-o', '/dev/null', '-p', String(gateway.pid), ...files, '-e', `trace=${call}`, '-e', `inject=${inject}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  tracer.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = once(tracer, 'close')
  while (!said.includes('attached')) {
    if (tracer.exitCode !== null) throw new Error(`strace ended: ${said}`)
    await sleep(10)
  }
  const end = async () => {
    tracer.kill('SIGTERM')
    await ended
  }
  return { end, [Symbol.asyncDispose]: end }
}

/** A command that gives the gateway a file system of its own, `size` large, at the place's data directory. */
export function onSmallDisk(place: Place, size: string): string[] {
  const user = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const script = 'mkdir -p "$0" && mount -t tmpfs -o mode=0700,size="$1" none "$0" && shift && exec "$@"'
  return ['unshare', '--mount', ...user, 'sh', '-c', script, place.data, size]
}

/** Where the gateway's own view of its data directory can be reached from outside. */
export const seenBy = (gateway: Gateway, place: Place): string => join(`/proc/${gateway.pid}/root`, place.data)
