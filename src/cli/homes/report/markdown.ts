import { findingCatalog } from '../../../openclaw/doctor/catalog.ts'
import { severities } from '../../../openclaw/doctor/codes/meaning.ts'
import type { Diagnosis } from '../../../openclaw/doctor/diagnosis.ts'
import type { Finding } from '../../../openclaw/doctor/finding.ts'
import { visibleLine } from '../../print/visible.ts'
import { moment } from '../../print/words.ts'
import { exampleLine, gatewayLine, isCommand, tally, totalsRows, whatOf } from '../doctor-lines.ts'
import type { Made } from './made.ts'

const headings = { error: 'Errors', warning: 'Warnings', note: 'Notes' } as const

/** GitHub's Markdown, for an issue or a chat. */
export function markdownReport(diagnoses: readonly Diagnosis[], failed: readonly string[], made: Made): string {
  const parts = [
    '# Homes of OpenClaw',
    `Looked at ${moment(made.atMs)} by Holdfast ${made.holdfast} (${made.by}).`,
    ...diagnoses.map(homePart),
    ...(failed.length === 0 ? [] : [['## Not looked at', ...failed.map((line) => `- ${escaped(line)}`)].join('\n')]),
  ]
  return `${parts.join('\n\n')}\n`
}

function homePart(diagnosis: Diagnosis): string {
  const rows: [string, string][] = [
    ['what', whatOf(diagnosis)],
    ['gateway', gatewayLine(diagnosis)],
    ...totalsRows(diagnosis),
    ['found', tally(diagnosis.findings) ?? 'nothing'],
  ]
  return [
    `## ${code(diagnosis.dir)}`,
    ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${escaped(value)} |`)].join('\n'),
    ...severities.flatMap((severity) => {
      const some = diagnosis.findings.filter((finding) => finding.severity === severity)
      return some.length === 0 ? [] : [`### ${headings[severity]}`, ...some.map((each) => findingPart(each, diagnosis))]
    }),
  ].join('\n\n')
}

function findingPart(finding: Finding, { dir }: Diagnosis): string {
  const { title, evidence, examples, count, fix } = finding
  const more = count - examples.length
  const lines = examples.map((example) => visibleLine(exampleLine(example, dir)))
  if (examples.length > 0 && more > 0) lines.push(`and ${more.toLocaleString('en-US')} more`)
  return [
    `**${escaped(title)}** (\`${finding.code}\`)`,
    `${escaped(evidence)} ${escaped(findingCatalog[finding.code].means)}`,
    ...(lines.length === 0 ? [] : [fenced(lines)]),
    `What to do: ${isCommand(fix) ? code(fix) : escaped(fix)}`,
  ].join('\n\n')
}

/** A fence that nothing inside can end. */
function fenced(lines: readonly string[]): string {
  const fence = '`'.repeat(Math.max(3, 1 + longestTicks(lines.join('\n'))))
  return [fence, ...lines, fence].join('\n')
}

function code(text: string): string {
  const line = visibleLine(text)
  const ticks = '`'.repeat(1 + longestTicks(line))
  return ticks.length > 1 ? `${ticks} ${line} ${ticks}` : `${ticks}${line}${ticks}`
}

function longestTicks(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
}

function escaped(text: string): string {
  return visibleLine(text).replaceAll(/[\\*_{}[\]<>#|~&]/g, '\\$&')
}
