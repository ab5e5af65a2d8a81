import { truncate, widthOf } from './width.ts'

export interface Column<Row> {
  title: string
  text(row: Row): string
  align?: 'right'
  /** May be cut when the terminal is narrow. */
  shrinks?: boolean
}

/** A shrinking column keeps this many cells however narrow the terminal is. */
const shrunkCellsMin = 12
const gap = '  '

/**
 * Lines of a table: a heading, then one for each row. Cells must hold one line each. With `cellsMax`, shrinking columns give
 * way, the widest first.
 */
export function tableLines<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  cellsMax: number | null,
): string[] {
  const cells = [columns.map((column) => column.title), ...rows.map((row) => columns.map((column) => column.text(row)))]
  const natural = columns.map((_, index) => Math.max(...cells.map((line) => widthOf(line[index] ?? ''))))
  const widths = cellsMax === null ? natural : shrink(natural, columns, cellsMax)
  return cells.map((line) =>
    line
      .map((text, index) => pad(truncate(text, widths[index] ?? 0), widths[index] ?? 0, columns[index]?.align))
      .join(gap)
      .trimEnd(),
  )
}

function shrink<Row>(natural: number[], columns: readonly Column<Row>[], cellsMax: number): number[] {
  const widths = [...natural]
  const total = () => widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1)
  const widest = () =>
    widths
      .map((width, index) => ({ width, index }))
      .filter(({ width, index }) => columns[index]?.shrinks === true && width > shrunkCellsMin)
      .sort((a, b) => b.width - a.width)[0]
  for (let next = widest(); total() > cellsMax && next !== undefined; next = widest()) {
    widths[next.index] = next.width - 1
  }
  return widths
}

function pad(text: string, cells: number, align: 'right' | undefined): string {
  const space = ' '.repeat(Math.max(0, cells - widthOf(text)))
  return align === 'right' ? space + text : text + space
}
