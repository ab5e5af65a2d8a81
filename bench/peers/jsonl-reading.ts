import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'

const newline = 0x0a

/** What a file gateway does when it opens a session: everything, each time. */
export function readWhole(path: string): unknown[] {
  const bytes = readFileSync(path)
  const entries: unknown[] = []
  let from = 0
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, from)) {
    entries.push(JSON.parse(bytes.toString('utf8', from, at)))
    from = at + 1
  }
  return entries
}

const blockBytes = 65_536

/** The last `count` lines, from the end, block by block: as good as a file of lines can be read. */
export function readTail(path: string, count: number): unknown[] {
  const file = openSync(path, 'r')
  let from = fstatSync(file).size
  let tail = Buffer.alloc(0)
  let lines = 0
  while (from > 0 && lines <= count) {
    const length = Math.min(blockBytes, from)
    from -= length
    const block = Buffer.alloc(length)
    readSync(file, block, 0, length, from)
    for (const byte of block) if (byte === newline) lines += 1
    tail = Buffer.concat([block, tail])
  }
  closeSync(file)
  return tail
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => JSON.parse(line))
}
