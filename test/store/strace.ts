import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Runs the writer under strace, which watches the system calls on the database's own files only: faults must not
 * hit standard output or the loading of modules. Two things to know of strace 6.1: `when=N` counts for each thread by itself
 * (the writer and the keeper of a store each have their Nth), and `--seccomp-bpf` never delivers injected signals.
 */
export interface Injection {
  call: 'pwrite64' | 'fsync'
  what: 'error=ENOSPC' | 'error=EIO' | 'signal=KILL'
  /** `3`: the third; `3+`: the third and all after; `3..9`. */
  when: string
  /** Names in the data directory. */
  files: string[]
}

export const databaseFiles = ['holdfast.sqlite', 'holdfast.sqlite-wal']

/** Walks every write path of a store. */
const writer = fileURLToPath(new URL('./programs/writer.ts', import.meta.url))

export interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
  errors: string
}

export function runInjected(args: string[], directory: string, injection: Injection): Promise<Ending> {
  const { call, what, when, files } = injection
  const paths = files.flatMap((name) => ['-P', join(directory, name)])
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${when}`]
  return runUnder(['-f', '-qq', '-o', '/dev/null', ...paths, ...inject], args)
}

/** Records what the writer asks of the kernel for these files, with every byte, in the order of the calls. */
export function runTraced(args: string[], paths: string[], trace: string): Promise<Ending> {
  const calls = 'trace=openat,mkdir,write,pwrite64,fsync,fdatasync,ftruncate,unlink,rename,fallocate'
  const watched = paths.flatMap((path) => ['-P', path])
  return runUnder(
    ['-f', '--seccomp-bpf', '-qq', '-y', '-xx', '-s', '1000000', '-o', trace, ...watched, '-e', calls],
    args,
  )
}

const timeLimitMs = 120_000

function runUnder(options: string[], args: string[]): Promise<Ending> {
  const child = spawn('strace', [...options, process.execPath, '--no-warnings', writer, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: timeLimitMs,
    killSignal: 'SIGKILL',
  })
  let errors = ''
  child.stderr.on('data', (data) => {
    errors += data
  })
  const { promise, resolve, reject } = Promise.withResolvers<Ending>()
  child.on('error', reject)
  child.on('close', (code, signal) => resolve({ code, signal, errors }))
  return promise
}
