import type { Shelf } from '../desk.ts'

/** One bundle of a run, as far as it decides when it goes. */
export interface BundleFacts {
  run: string
  file: string
  /** Of the newest step in it. Unit: ms. */
  atMs: number
  bytes: number
  /** `undone`: everything in it is back in its place. */
  shelf: Shelf | 'undone'
}

export interface ExpiryRules {
  /** Unit: ms. null: never. */
  archiveMs: number | null
  /** All archives of the home together. null: no bound. Unit: bytes. */
  archiveBytesMax: number | null
}

export interface Expiring {
  bundle: BundleFacts
  because: string
}

/** Who goes first where there are too many bytes. */
const order = { undone: 0, errand: 1, said: 2 } as const

/**
 * Which bundles are deleted for good. By age only errands, leftovers and what has been put back; by bytes those first, oldest first, and
 * what people said last, which only happens where a person has set a bound. One that is younger than now is left alone: a clock is wrong.
 */
export function planExpiry(bundles: readonly BundleFacts[], rules: ExpiryRules, nowMs: number): Expiring[] {
  const { archiveMs, archiveBytesMax } = rules
  const known = bundles.filter(({ atMs }) => atMs <= nowMs)
  const isOld = ({ shelf, atMs }: BundleFacts) => archiveMs !== null && shelf !== 'said' && nowMs - atMs > archiveMs
  const old = known.filter(isOld)
  const going: Expiring[] = old.map((bundle) => ({ bundle, because: 'it is older than archives are kept' }))
  if (archiveBytesMax === null) return going
  let bytes = bundles.reduce((sum, each) => sum + each.bytes, 0) - old.reduce((sum, each) => sum + each.bytes, 0)
  const rest = known
    .filter((bundle) => !isOld(bundle))
    .sort((a, b) => order[a.shelf] - order[b.shelf] || a.atMs - b.atMs || a.bytes - b.bytes)
  for (const bundle of rest) {
    if (bytes <= archiveBytesMax) break
    going.push({ bundle, because: 'archives take more than they may' })
    bytes -= bundle.bytes
  }
  return going
}
