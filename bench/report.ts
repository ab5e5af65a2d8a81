import type { Measured } from './measure.ts'

export type Unit = 'ms' | 'per second' | 'bytes' | 'times'

export interface Figure {
  label: string
  value: number
  unit: Unit
}

/** `limit`: what the machine can do at best; `peer`: another way to do it; `holdfast`: what is measured. */
export interface Row {
  name: string
  role: 'holdfast' | 'limit' | 'peer' | 'baseline'
  figures: Figure[]
}

export interface Target {
  /** Says what is compared with what. */
  text: string
  value: number
  unit: Unit
  bound: { at: 'most' | 'least'; value: number }
}

/** One table. A scenario gives one or more. */
export interface Section {
  title: string
  rows: Row[]
  targets: Target[]
  notes: string[]
}

export function isMet(target: Target): boolean {
  return target.bound.at === 'most' ? target.value <= target.bound.value : target.value >= target.bound.value
}

export function latencyFigures(measured: Measured): Figure[] {
  return [
    { label: 'median', value: measured.medianMs, unit: 'ms' },
    { label: 'p99', value: measured.p99Ms, unit: 'ms' },
    { label: 'rate', value: measured.perSecond, unit: 'per second' },
  ]
}

export function atMost(text: string, value: number, bound: number, unit: Unit = 'times'): Target {
  return { text, value, unit, bound: { at: 'most', value: bound } }
}

export function atLeast(text: string, value: number, bound: number, unit: Unit = 'times'): Target {
  return { text, value, unit, bound: { at: 'least', value: bound } }
}

/** Three digits are as many as a shared machine gives. */
export function formatFigure(value: number, unit: Unit): string {
  if (unit === 'times') return `${threeDigits(value)}×`
  if (unit === 'per second') return `${threeDigits(value)}/s`
  if (unit === 'ms') return Math.abs(value) < 1 ? `${threeDigits(value * 1_000)} µs` : `${threeDigits(value)} ms`
  return value < 1_000_000 ? `${threeDigits(value / 1_000)} KB` : `${threeDigits(value / 1_000_000)} MB`
}

function threeDigits(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(3)
}

export function formatSection(section: Section): string {
  const labels = [...new Set(section.rows.flatMap((row) => row.figures.map(({ label }) => label)))]
  const cells = section.rows.map((row) => [
    row.role === 'holdfast' ? row.name : `${row.name} (${row.role})`,
    ...labels.map((label) => {
      const figure = row.figures.find((each) => each.label === label)
      return figure === undefined ? '' : formatFigure(figure.value, figure.unit)
    }),
  ])
  const header = ['', ...labels]
  const widths = header.map((text, column) => Math.max(text.length, ...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: string[]) =>
    `  ${row.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join('  ')}`
  const targets = section.targets.map((target) => {
    const bound = `${target.bound.at === 'most' ? '≤' : '≥'} ${formatFigure(target.bound.value, target.unit)}`
    const verdict = isMet(target) ? 'met' : 'NOT MET'
    return `  target  ${target.text}: ${formatFigure(target.value, target.unit)}, wanted ${bound}: ${verdict}`
  })
  const notes = section.notes.map((note) => `  note    ${note}`)
  return [section.title, line(header), ...cells.map(line), ...targets, ...notes].map((row) => row.trimEnd()).join('\n')
}
