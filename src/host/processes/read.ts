import type { ProcessTable } from '../processes.ts'
import { readLinuxProcesses } from './linux.ts'
import { type Ask, readPortableProcesses } from './portable.ts'

/** Who runs here. `ask` runs a program of the system and gives what it printed; it is not asked on Linux. */
export async function readProcesses(ask: Ask): Promise<ProcessTable> {
  return process.platform === 'linux' ? await readLinuxProcesses() : await readPortableProcesses(process.platform, ask)
}
