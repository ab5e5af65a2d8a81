import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Section } from './report.ts'

/** What a scenario is given. */
export interface Bench {
  /** Fewer rounds and smaller data: an impression in under two minutes. */
  quick: boolean
  /** Where installed peers are; null measures without them. */
  peersFolder: string | null
  /** A new empty directory on the disk under test. */
  directory(name: string): string
  /** One line for people who wait. */
  progress(text: string): void
}

export interface Scenario {
  name: string
  /** What a reader wants to know. */
  question: string
  run(bench: Bench): Promise<Section[]>
}

export function benchIn(root: string, given: Pick<Bench, 'quick' | 'peersFolder' | 'progress'>): Bench {
  return { ...given, directory: (name) => mkdtempSync(join(root, `${name}-`)) }
}
