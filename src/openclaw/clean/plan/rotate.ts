import { formatSize } from '../../../model/units.ts'
import type { HomePolicy } from '../../home/policy.ts'
import { derivedFields, type IndexFacts } from '../../index/facts.ts'

/** Less than this share of an index is not worth a copy of it. */
const shareMin = 0.1

export interface Rotation {
  fields: readonly string[]
  bytes: number
  because: string
}

/** Whether an index is to be copied beside itself and written without what a gateway makes anew; null: it is not. */
export function rotationOf(index: IndexFacts, policy: HomePolicy): Rotation | null {
  if (index.state !== 'read' || index.bytes <= policy.indexRotateBytes) return null
  const derived = index.fields.filter(({ field, bytes }) => bytes > 0 && derivedFields.some((each) => each === field))
  const bytes = derived.reduce((sum, weight) => sum + weight.bytes, 0)
  if (bytes < index.bytes * shareMin) return null
  const fields = derived.map(({ field }) => field)
  const from = policy.sources.indexRotateBytes === undefined ? '' : ` (${policy.sources.indexRotateBytes})`
  const limit = `it has ${formatSize(index.bytes)}, the limit is ${formatSize(policy.indexRotateBytes)}${from}`
  const share = Math.round((bytes / index.bytes) * 100)
  return { fields, bytes, because: `${limit}; ${share} % is ${fields.join(' and ')}, which the gateway makes anew` }
}
