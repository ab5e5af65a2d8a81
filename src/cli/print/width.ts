const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Scripts whose characters take two cells of a terminal (Unicode UAX #11, "wide"), and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

/** Cells of a terminal that the text takes. */
export function widthOf(text: string): number {
  let cells = 0
  for (const { segment } of graphemes.segment(text)) cells += cellsOf(segment)
  return cells
}

/** At most `cellsMax` cells; what was cut ends in `…`. */
export function truncate(text: string, cellsMax: number): string {
  let cells = 0
  let kept = ''
  let fitting = '' // with room for the ellipsis
  for (const { segment } of graphemes.segment(text)) {
    cells += cellsOf(segment)
    if (cells > cellsMax) return `${fitting}…`
    kept += segment
    if (cells < cellsMax) fitting = kept
  }
  return kept
}

function cellsOf(grapheme: string): number {
  return wide.test(grapheme) ? 2 : 1
}
