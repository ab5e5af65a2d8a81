import { join } from 'node:path'

/** How this program is started again, from anywhere: the Node that runs it and the script that package.json names. Absolute. */
export function thisProgram(): { node: string; script: string } {
  return { node: process.execPath, script: join(import.meta.dirname, '..', '..', 'bin', 'holdfast.mjs') }
}
