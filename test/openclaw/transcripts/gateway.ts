/**
 * How a gateway of the file generation reads a transcript, written down once more and apart from the program: a line is JSON or is skipped;
 * what the model sees is the way from the last entry upwards, by `parentId`.
 */
interface Read {
  [member: string]: unknown
}

export function readAsGateway(data: Buffer): Read[] {
  const rows: Read[] = []
  for (const line of data.toString('utf8').split('\n')) {
    const value = parse(line.trim())
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue
    const read = value as Read
    if (typeof read.type !== 'string') continue
    if (read.type === 'message' && !isMessage(read.message)) continue
    rows.push(read)
  }
  return rows
}

/** The messages that the model is shown, without summaries, oldest first, or null where the walk does not end. */
export function shown(rows: Read[]): string[] | null {
  const [first] = rows
  if (first === undefined || first.type !== 'session' || typeof first.id !== 'string') return []
  const entries = rows.filter(({ type }) => type !== 'session')
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  const messages: string[] = []
  let steps = 0
  for (let at = entries.at(-1); at !== undefined; at = at.parentId ? byId.get(at.parentId) : undefined) {
    if (at.type === 'message') messages.unshift(contentOf(at))
    steps += 1
    if (steps > entries.length) return null
  }
  return messages
}

/** The message, whatever it is chained to. How many U+FFFD stand for what is no character is up to its reader. */
export function contentOf({ message }: Read): string {
  const text = JSON.stringify(message, (_, value) => (typeof value === 'string' ? value.toWellFormed() : value))
  return text.replaceAll(/\ufffd+/g, '\ufffd')
}

/** A message that a mirror has written once more. */
export function isSecond({ message }: Read): boolean {
  return (message as Read).api === 'cli'
}

function isMessage(value: unknown): boolean {
  const { role } = (value ?? {}) as Read
  return typeof role === 'string' && role.trim() !== ''
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
