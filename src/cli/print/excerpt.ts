import { cutText } from '../../model/text.ts'
import { visibleLine } from './visible.ts'

/** How much is kept before the first word that was looked for, in characters. */
const leadLength = 24

/** One line of the text from shortly before the first of the words, at most `lengthMax` characters. */
export function excerptAround(text: string, words: readonly string[], lengthMax: number): string {
  const lower = text.toLowerCase()
  const found = words.map((word) => lower.indexOf(word.toLowerCase())).filter((index) => index !== -1)
  const from = Math.max(0, Math.min(...found, text.length) - leadLength)
  const begin = found.length === 0 ? 0 : from
  const cut = cutText(text.slice(begin).toWellFormed(), lengthMax)
  return (begin > 0 ? '…' : '') + visibleLine(cut) + (begin + cut.length < text.length ? '…' : '')
}
