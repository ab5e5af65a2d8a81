import { formatCount } from '../../model/units.ts'
import { type DamageKind, damageKinds, unmended } from '../transcripts/facts.ts'

/** What a kind of damage is called: one of it, and several. */
const names: Record<DamageKind, [string, string]> = {
  'torn-tail': ['torn tail', 'torn tails'],
  'unended-line': ['last line without its line feed', 'last lines without their line feeds'],
  'header-missing': ['missing header', 'missing headers'],
  'header-broken': ['broken header', 'broken headers'],
  'header-old': ['header of an old version', 'headers of an old version'],
  'invalid-line': ['line that is no entry', 'lines that are no entries'],
  'welded-line': ['line welded of several', 'lines welded of several'],
  'id-missing': ['entry without an id', 'entries without an id'],
  'duplicate-line': ['line stored twice', 'lines stored twice'],
  'duplicate-reply': ['reply stored twice', 'replies stored twice'],
  'duplicate-id': ['id of two entries', 'ids of two entries'],
  'broken-parent': ['broken link', 'broken links'],
  'lone-surrogate': ['line with half a character', 'lines with half a character'],
  'nul-bytes': ['line with zeros', 'lines with zeros'],
  'not-utf8': ['line that is no UTF-8', 'lines that are no UTF-8'],
  'oversized-line': ['line too long or too deep to be judged', 'lines too long or too deep to be judged'],
}

type Counts = Partial<Record<DamageKind, number>>

/** `1 torn tail, 12 replies stored twice`: what is put right. */
export function damageText(counts: Counts): string {
  return textOf(counts, (kind) => !unmended.includes(kind))
}

/** What stays as it is, and why; null where nothing does. */
export function unmendedText(counts: Counts): string | null {
  const reasons: string[] = []
  if (counts['header-old'] !== undefined)
    reasons.push('the header is of an old version; a gateway up to 2026.7 brings it up to date by itself')
  if (counts['oversized-line'] !== undefined)
    reasons.push(`${textOf(counts, (kind) => kind === 'oversized-line')}, left as found`)
  return reasons.length === 0 ? null : reasons.join('; ')
}

function textOf(counts: Counts, wanted: (kind: DamageKind) => boolean): string {
  return damageKinds
    .filter((kind) => counts[kind] !== undefined && wanted(kind))
    .map((kind) => formatCount(counts[kind] ?? 0, ...names[kind]))
    .join(', ')
}
