import { conversation, file } from './rows.ts'

type Chance = () => number

/** What a power cut, a full disk, a second writer or a bad disk does to a file. */
const damages = {
  truncate: (data: Buffer, chance: Chance) => data.subarray(0, at(data, chance)),
  'cut out': (data: Buffer, chance: Chance) => {
    const from = at(data, chance)
    return Buffer.concat([data.subarray(0, from), data.subarray(from + Math.floor(chance() * 400))])
  },
  flip: (data: Buffer, chance: Chance) => {
    const flipped = Buffer.from(data)
    const place = at(data, chance)
    flipped[place] = (flipped[place] ?? 0) ^ (1 << Math.floor(chance() * 8))
    return flipped
  },
  'lose a line': (data: Buffer, chance: Chance) => withLines(data, (lines) => lines.toSpliced(pick(lines, chance), 1)),
  'lose a line feed': (data: Buffer, chance: Chance) => {
    const feed = data.indexOf(0x0a, at(data, chance))
    return feed === -1 ? data : Buffer.concat([data.subarray(0, feed), data.subarray(feed + 1)])
  },
  'store a line twice': (data: Buffer, chance: Chance) =>
    withLines(data, (lines) => {
      const from = pick(lines, chance)
      return lines.toSpliced(from + 1 + Math.floor(chance() * (lines.length - from)), 0, ...lines.slice(from, from + 1))
    }),
  'swap lines': (data: Buffer, chance: Chance) =>
    withLines(data, (lines) => {
      const [a, b] = [pick(lines, chance), pick(lines, chance)]
      if (lines.length === 0) return lines
      return lines.with(a, lines[b] ?? Buffer.alloc(0)).with(b, lines[a] ?? Buffer.alloc(0))
    }),
  'put zeros over it': (data: Buffer, chance: Chance) => {
    const zeroed = Buffer.from(data)
    const from = at(data, chance)
    return zeroed.fill(0, from, Math.min(zeroed.length, from + Math.floor(chance() * 300)))
  },
  'put zeros in': (data: Buffer, chance: Chance) =>
    insert(data, at(data, chance), Buffer.alloc(Math.floor(chance() * 300))),
  'put rubbish in': (data: Buffer, chance: Chance) =>
    insert(
      data,
      at(data, chance),
      Buffer.from(Array.from({ length: chance() * 40 }, () => Math.floor(chance() * 256))),
    ),
  'halve a character': (data: Buffer, chance: Chance) => {
    const quote = data.indexOf('"text":"', at(data, chance))
    const half = chance() < 0.5 ? Buffer.from('\\ud83d') : Buffer.from([0xed, 0xa0, 0xbd])
    return quote === -1 ? data : insert(data, quote + 8, half)
  },
  interleave: (data: Buffer, chance: Chance) => {
    const other = file(...conversation(chance, 1 + Math.floor(chance() * 4), 's2'))
    const parts: Buffer[] = []
    const rest = [data, other] as [Buffer, Buffer]
    while (rest[0].length + rest[1].length > 0) {
      const who = chance() < 0.5 ? 0 : 1
      const step = 1 + Math.floor(chance() * 600)
      parts.push(rest[who].subarray(0, step))
      rest[who] = rest[who].subarray(step)
    }
    return Buffer.concat(parts)
  },
  'let two write lines': (data: Buffer, chance: Chance) =>
    withLines(data, (lines) => {
      const others = conversation(chance, 1 + Math.floor(chance() * 4), 's2').map((line) => Buffer.from(line))
      return lines
        .flatMap((line) => (chance() < 0.3 ? [line, others.shift() ?? Buffer.alloc(0)] : [line]))
        .concat(others)
    }),
} satisfies Record<string, (data: Buffer, chance: Chance) => Buffer>

export type DamageName = keyof typeof damages

/** A conversation with one to three kinds of damage, the same for the same numbers. */
export function damaged(
  chance: Chance,
  of = Object.keys(damages) as DamageName[],
): { data: Buffer; names: DamageName[] } {
  let data: Buffer = file(...conversation(chance, Math.floor(chance() * 8)))
  const names: DamageName[] = []
  for (let count = 1 + Math.floor(chance() * 3); count > 0; count -= 1) {
    const name = of[Math.floor(chance() * of.length)] as DamageName
    names.push(name)
    data = damages[name](data, chance)
  }
  return { data, names }
}

/**
 * After these what the model was shown before is shown afterwards as well. Two writers leave two conversations in one file, and of lines
 * in another order nobody knows which was the last.
 */
export function linearDamages(names: readonly DamageName[]): boolean {
  if (names.includes('store a line twice') && names.length > 1) return false
  return !names.some((name) => ['interleave', 'let two write lines', 'swap lines'].includes(name))
}

function at(data: Buffer, chance: Chance): number {
  return Math.floor(chance() * data.length)
}

function pick(lines: readonly unknown[], chance: Chance): number {
  return Math.floor(chance() * lines.length)
}

function insert(data: Buffer, place: number, more: Buffer): Buffer {
  return Buffer.concat([data.subarray(0, place), more, data.subarray(place)])
}

function withLines(data: Buffer, change: (lines: Buffer[]) => Buffer[]): Buffer {
  const text = data.toString('latin1')
  const lines = text.split('\n').slice(0, -1)
  const rest = text.slice(text.lastIndexOf('\n') + 1)
  const changed = change(lines.map((line) => Buffer.from(line, 'latin1')))
  return Buffer.concat([file(...changed), Buffer.from(rest, 'latin1')])
}
