/**
 * What a program asked of the kernel, from `strace -f -y -xx`. One line is one call, or two when another thread's call
 * came between (`<unfinished ...>` and `<... pwrite64 resumed>`). `-y` names the file beside each descriptor, so that no table
 * of descriptors is needed; every string is in hexadecimal.
 *
 * A file is named by its path and a number, because a path can be unlinked and created again.
 */
export type Call =
  | { kind: 'write'; file: string; offset: number; data: Buffer }
  | { kind: 'truncate'; file: string; length: number }
  | { kind: 'create'; path: string; file: string }
  | { kind: 'unlink'; path: string }
  | { kind: 'rename'; path: string; to: string }
  /** Of a file, or of a directory. Covers what had returned before it began: the first `covers` calls. */
  | { kind: 'sync'; file: string; covers: number }
  /** A line of the program's journal. */
  | { kind: 'told'; text: string }

interface Line {
  name: string
  args: string
  result: number
  /** Indexes of the lines at which the call began and returned. */
  began: number
  returned: number
}

/** In the order in which the calls returned. Calls that failed are left out. */
export function callsIn(trace: string, journal: string): Call[] {
  const names = new Names()
  const calls: { call: Call; returned: number }[] = []
  for (const line of linesIn(trace)) {
    const covers = calls.filter(({ returned }) => returned < line.began).length
    for (const call of callsOf(line, names, journal, covers)) calls.push({ call, returned: line.returned })
  }
  return calls.map(({ call }) => call)
}

function linesIn(trace: string): Line[] {
  const begun = new Map<string, { text: string; began: number }>()
  return trace.split('\n').flatMap((line, index): Line[] => {
    const thread = line.split(' ', 1)[0] as string
    const unfinished = /^(.*)<unfinished \.\.\.>$/.exec(line)
    if (unfinished !== null) {
      begun.set(thread, { text: unfinished[1] as string, began: index })
      return []
    }
    const resumed = /^\d+ +<\.\.\. \w+ resumed>(.*)$/.exec(line)
    const start = resumed === null ? undefined : begun.get(thread)
    const whole = start === undefined ? line : start.text + (resumed as RegExpExecArray)[1]
    const match = /^\d+ +(\w+)\((.*)\) += (\d+)/.exec(whole)
    if (match === null) return []
    const [, name, args, result] = match as unknown as [string, string, string, string]
    return [{ name, args, result: Number(result), began: start?.began ?? index, returned: index }]
  })
}

/** Which file a path means now, and how long that file is. */
class Names {
  #files = new Map<string, string>()
  #sizes = new Map<string, number>()
  #made = 0

  has(path: string): boolean {
    return this.#files.has(path)
  }

  create(path: string): string {
    this.#made += 1
    const file = `${path}#${this.#made}`
    this.#files.set(path, file)
    this.#sizes.set(file, 0)
    return file
  }

  /** A path that is no file that was created here is a directory, and names itself. */
  fileAt(path: string): string {
    return this.#files.get(path) ?? path
  }

  unlink(path: string): void {
    this.#files.delete(path)
  }

  rename(path: string, to: string): void {
    this.#files.set(to, this.fileAt(path))
    this.#files.delete(path)
  }

  sizeOf(file: string): number {
    return this.#sizes.get(file) ?? 0
  }

  resize(file: string, length: number): void {
    this.#sizes.set(file, length)
  }
}

function callsOf({ name, args, result }: Line, names: Names, journal: string, covers: number): Call[] {
  const path = pathIn(args)
  const file = names.fileAt(path)
  const lastNumber = Number(args.slice(args.lastIndexOf(',') + 1))
  const [first = '', second = ''] = stringsIn(args)
  switch (name) {
    case 'openat': {
      const opened = textOf(first)
      const made = args.includes('O_CREAT') && !names.has(opened)
      const created: Call[] = made ? [{ kind: 'create', path: opened, file: names.create(opened) }] : []
      if (!args.includes('O_TRUNC')) return created
      names.resize(names.fileAt(opened), 0)
      return [...created, { kind: 'truncate', file: names.fileAt(opened), length: 0 }]
    }
    case 'write':
    case 'pwrite64': {
      const data = bytesOf(first).subarray(0, result)
      if (path === journal) return [{ kind: 'told', text: data.toString() }]
      const offset = name === 'write' ? names.sizeOf(file) : lastNumber
      names.resize(file, Math.max(names.sizeOf(file), offset + data.length))
      return [{ kind: 'write', file, offset, data }]
    }
    case 'ftruncate':
      names.resize(file, lastNumber)
      return [{ kind: 'truncate', file, length: lastNumber }]
    case 'fsync':
    case 'fdatasync':
      return [{ kind: 'sync', file, covers }]
    case 'unlink':
      names.unlink(textOf(first))
      return [{ kind: 'unlink', path: textOf(first) }]
    case 'rename':
      names.rename(textOf(first), textOf(second))
      return [{ kind: 'rename', path: textOf(first), to: textOf(second) }]
    case 'mkdir':
      return [] // the directory that the store is in is taken to be there
    default:
      throw new Error(`the crash model does not know the call ${name}`)
  }
}

/** The file of the first descriptor: `21<\x2f\x74…>`. */
function pathIn(args: string): string {
  const match = /^\d+<((?:\\x[0-9a-f]{2})*)>/.exec(args)
  return textOf(match?.[1] ?? '')
}

const stringsIn = (args: string): string[] =>
  [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((match) => match[1] as string)

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll('\\x', ''), 'hex')
const textOf = (hex: string): string => bytesOf(hex).toString()
