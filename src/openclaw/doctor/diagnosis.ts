import type { GatewayFacts } from '../gateway/running.ts'
import type { Generation } from '../home/home.ts'
import type { Around } from '../survey/around.ts'
import type { DiskFacts, HomeFacts } from '../survey/facts.ts'
import { examine } from './examine.ts'
import { type Finding, type Parents, seenOf } from './finding.ts'
import { type Totals, totalsOf } from './totals.ts'

/** All that is told of one home. Documented: other programs rely on it. */
export interface Diagnosis {
  dir: string
  generation: Generation
  version: string | null
  gateway: GatewayFacts
  disk: DiskFacts | { unreadable: string }
  lookedAtMs: number
  findings: Finding[]
  totals: Totals
}

/** `named`: several homes are looked after, so commands say which. */
export function diagnosisOf(facts: HomeFacts, around: Around, parents: Parents, named: boolean): Diagnosis {
  const { home, gateway, disk, nowMs } = facts
  const { dir, generation, version } = home
  const seen = seenOf(facts, around, parents, named)
  return { dir, generation, version, gateway, disk, lookedAtMs: nowMs, findings: examine(seen), totals: totalsOf(seen) }
}
