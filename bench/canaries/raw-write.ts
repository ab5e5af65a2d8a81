import { execFile } from 'node:child_process'
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Round } from '../measure.ts'

const run = promisify(execFile)

/** `grow`: at the end of a file, as a log is written. `overwrite`: in a file that has its size already. */
type Manner = 'grow' | 'overwrite'

export interface RawWrite {
  /** `C`, or `Node` where there is no compiler. */
  language: 'C' | 'Node'
  /** Writes `bytes` to an open file and waits for the disk, `count` times. */
  round(manner: Manner, count: number, bytes: number): Promise<Round>
}

/** The physical limit of everything that is durable. */
export async function rawWrite(directory: string): Promise<RawWrite> {
  const target = join(directory, 'raw-write.bin')
  const program = join(directory, 'raw-write')
  const source = fileURLToPath(new URL('./fdatasync.c', import.meta.url))
  try {
    await run('cc', ['-O2', '-o', program, source])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { language: 'Node', round: async (manner, count, bytes) => inNode(target, manner, count, bytes) }
  }
  return {
    language: 'C',
    round: async (manner, count, bytes) => {
      const args = [target, String(count), String(bytes), manner]
      const { stdout } = await run(program, args, { maxBuffer: 64_000_000 })
      const nanoseconds = stdout.trimEnd().split('\n').map(Number)
      return roundOf(nanoseconds.map((each) => each / 1_000_000))
    },
  }
}

function inNode(target: string, manner: Manner, count: number, bytes: number): Round {
  const file = openSync(target, 'w', 0o600)
  const body = Buffer.alloc(bytes, 'x')
  if (manner === 'overwrite') {
    for (let index = 0; index < count; index += 1) writeSync(file, body, 0, bytes, index * bytes)
    fsyncSync(file)
  }
  const latenciesMs: number[] = []
  for (let index = 0; index < count; index += 1) {
    const beganMs = performance.now()
    writeSync(file, body, 0, bytes, index * bytes)
    fdatasyncSync(file)
    latenciesMs.push(performance.now() - beganMs)
  }
  closeSync(file)
  return roundOf(latenciesMs)
}

function roundOf(latenciesMs: number[]): Round {
  return { latenciesMs, wallMs: latenciesMs.reduce((total, each) => total + each, 0) }
}
