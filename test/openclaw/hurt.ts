import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kindOfName } from '../../src/openclaw/home/names.ts'
import type { Seeded } from './seeded.ts'

export function transcriptsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => ['transcript', 'reset'].includes(kindOfName(name).kind))
}

/** Damages every transcript of a folder once. */
export function damageTranscripts(folder: string, chance: Seeded): void {
  for (const name of transcriptsIn(folder)) {
    const path = join(folder, name)
    writeFileSync(path, damaged(readFileSync(path), chance))
  }
}

/** Cut, joined, doubled, flipped: what happens to files. */
function damaged(data: Buffer, chance: Seeded): Buffer {
  const bytes = Buffer.from(data)
  switch (chance.whole(0, 6)) {
    case 0:
      return bytes.subarray(0, chance.whole(1, bytes.length))
    case 1:
      bytes[chance.whole(0, bytes.length)] = chance.whole(0, 256)
      return bytes
    case 2:
      return Buffer.concat([bytes, bytes.subarray(chance.whole(0, bytes.length))])
    case 3:
      return Buffer.concat([
        bytes.subarray(0, bytes.lastIndexOf(10, -2)),
        bytes.subarray(bytes.lastIndexOf(10, -2) + 1),
      ])
    case 4:
      return Buffer.concat([bytes, Buffer.alloc(chance.whole(1, 600))])
    default:
      return Buffer.concat([Buffer.from('\n\r\n'), bytes.subarray(bytes.indexOf(10) + 1)])
  }
}
