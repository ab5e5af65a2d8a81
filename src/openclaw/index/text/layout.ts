import type { ParsedObject } from './scan.ts'

/** How an object is laid out, so that what is put into it looks like its neighbours. All are white space but for their punctuation. */
export interface Layout {
  /** After `{`. */
  lead: string
  /** Between two members, with the comma. */
  separator: string
  /** Between key and value, with the colon. */
  colon: string
  /** Before `}`. */
  tail: string
  /** There are neighbours to look like. */
  known: boolean
}

/** As its last members are laid out; as `empty` says, and with `": "`, when it has none. */
export function layoutOf(bytes: Buffer, parsed: ParsedObject, empty: Pick<Layout, 'lead' | 'tail'>): Layout {
  const { members, open, close } = parsed
  const [first, last, previous] = [members[0], members.at(-1), members.at(-2)]
  if (first === undefined || last === undefined)
    return { ...empty, separator: `,${empty.lead}`, colon: ': ', known: false }
  const lead = bytes.toString('latin1', open + 1, first.keyStart)
  return {
    lead,
    separator: previous === undefined ? `,${lead}` : bytes.toString('latin1', previous.valueEnd, last.keyStart),
    colon: bytes.toString('latin1', last.keyEnd, last.valueStart),
    tail: bytes.toString('latin1', last.valueEnd, close),
    known: true,
  }
}

/**
 * The text of a value as it stands in such an object: white space is changed where the value is in one line and its neighbours are not,
 * or the other way round. Nothing else is: numbers and escapes are as they were written.
 */
export function layOut(text: string, layout: Layout): string {
  const inLines = layout.lead.includes('\n')
  if (!layout.known || inLines === text.includes('\n')) return text
  return inLines ? inLinesOf(text, layout) : withoutSpace(text)
}

function inLinesOf(text: string, layout: Layout): string {
  const lineBreak = layout.lead.includes('\r\n') ? '\r\n' : '\n'
  const own = layout.lead.slice(layout.lead.lastIndexOf('\n') + 1)
  const outer = layout.tail.slice(layout.tail.lastIndexOf('\n') + 1)
  const step = own.startsWith(outer) && own !== outer ? own.slice(outer.length) : '  '
  const parts: string[] = []
  let depth = 0
  let previous = ''
  const newLine = () => lineBreak + own + step.repeat(depth)
  for (const token of tokensOf(text)) {
    const opened = previous === '{' || previous === '['
    const closes = token === '}' || token === ']'
    if (closes) depth--
    if (opened !== closes || previous === ',') parts.push(newLine())
    parts.push(token)
    if (token === ':') parts.push(' ')
    if (token === '{' || token === '[') depth++
    previous = token
  }
  return parts.join('')
}

function withoutSpace(text: string): string {
  return [...tokensOf(text)].join('')
}

/** Strings, punctuation, and words and numbers; of text that is known to be JSON. */
function* tokensOf(text: string): Generator<string> {
  const token = /["{}[\],:]|[^\s"{}[\],:]+/g
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if (match[0] !== '"') {
      yield match[0]
      continue
    }
    let end = match.index + 1
    while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1
    token.lastIndex = end + 1
    yield text.slice(match.index, end + 1)
  }
}
