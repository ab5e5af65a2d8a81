import { formatCount, formatDuration, formatSize } from '../../model/units.ts'
import { type Severity, severities } from '../../openclaw/doctor/codes/meaning.ts'
import type { Diagnosis } from '../../openclaw/doctor/diagnosis.ts'
import type { Example, Finding } from '../../openclaw/doctor/finding.ts'

/** `OpenClaw 2026.5.18, sessions in files` */
export function whatOf({ generation, version }: Diagnosis): string {
  const kept = { files: 'in files', sqlite: 'in SQLite', mixed: 'in files and in SQLite', empty: 'none yet' }[
    generation
  ]
  return `OpenClaw${version === null ? ' of a version that nothing tells' : ` ${version}`}, sessions ${kept}`
}

export function gatewayLine({ gateway, lookedAtMs }: Pick<Diagnosis, 'gateway' | 'lookedAtMs'>): string {
  switch (gateway.state) {
    case 'running': {
      const since = gateway.sinceMs === null ? '' : ` for ${formatDuration(Math.max(0, lookedAtMs - gateway.sinceMs))}`
      const where = gateway.container === null ? '' : ` in container ${gateway.container}`
      return `runs${since}, process ${gateway.pid}${where}`
    }
    case 'stopped':
      return `stopped: ${gateway.proof}`
    case 'unknown':
      return `cannot be told: ${gateway.because}`
  }
}

/** What is there, in a few lines of a name and a value. */
export function totalsRows({ dir, totals, disk }: Diagnosis): [string, string][] {
  const { agents, entries, transcripts, files, bytes, largest, leftovers, repeatedBytes, databaseBytes, archives } =
    totals
  const held = [formatCount(agents, 'agent')]
  if (entries > 0) held.push(formatCount(entries, 'entry', 'entries'))
  if (transcripts.files > 0)
    held.push(`${formatCount(transcripts.files, 'transcript')} (${formatSize(transcripts.bytes)})`)
  if (databaseBytes > 0) held.push(`databases of ${formatSize(databaseBytes)}`)
  const biggest = largest === null ? '' : `; largest ${within(dir, largest.path)} (${formatSize(largest.bytes)})`
  const wasted =
    leftovers.files === 0
      ? []
      : [`${formatCount(leftovers.files, 'file')} past their time (${formatSize(leftovers.bytes)})`]
  if (repeatedBytes > 0) wasted.push(`${formatSize(repeatedBytes)} repeated in indexes`)
  const archived = archives.runs === 0 ? 'none' : `${formatCount(archives.runs, 'run')}, ${formatSize(archives.bytes)}`
  return [
    ['sessions', held.join(', ')],
    ['files', `${formatCount(files, 'file')}, ${formatSize(bytes)}${biggest}`],
    ['wasted', wasted.length === 0 ? 'nothing' : wasted.join(', ')],
    ['archives', archived],
    ['disk', diskText(disk)],
  ]
}

function diskText(disk: Diagnosis['disk']): string {
  if ('unreadable' in disk) return `cannot be told: ${disk.unreadable}`
  return `${formatSize(disk.freeBytes)} of ${formatSize(disk.totalBytes)} free, ${disk.filesystem}`
}

/** `agents/main/sessions/a.jsonl (agent:main:main): line 12 and 3 more` */
export function exampleLine({ path, key, says }: Example, dir: string): string {
  const where = path === null ? '' : within(dir, path)
  const what = key === null ? where : where === '' ? key : `${where} (${key})`
  return [what, says].filter((part) => part !== '').join(': ')
}

export function within(dir: string, path: string): string {
  return path.startsWith(`${dir}/`) ? path.slice(dir.length + 1) : path
}

/** `1 error, 2 warnings, 1 note`; null where there is nothing. */
export function tally(findings: readonly Finding[]): string | null {
  const counts = severities.flatMap((severity) => {
    const some = findings.filter((finding) => finding.severity === severity).length
    return some === 0 ? [] : [formatCount(some, severity)]
  })
  return counts.length === 0 ? null : counts.join(', ')
}

export const severityNames: Record<Severity, string> = { error: 'ERROR', warning: 'WARNING', note: 'note' }

/** There is something that should be done. */
export function isIll({ findings }: Diagnosis): boolean {
  return findings.some(({ severity }) => severity !== 'note')
}

/** What can be typed as it is; else it is said to a person. */
export function isCommand(fix: string): boolean {
  return /^(?:sudo |holdfast |openclaw |chmod |OPENCLAW_STATE_DIR=)/.test(fix)
}
