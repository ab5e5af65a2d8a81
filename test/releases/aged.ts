import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const times = /"(updatedAt|sessionStartedAt|lastInteractionAt|startedAt|endedAt)": (\d{13})/g

/** Moves a home of files in time, so that its last use was so long ago: a fixture does not grow older, a new home is no longer new. */
export function ageTo(dir: string, ageMs: number): void {
  const agentsDir = join(dir, 'agents')
  const folders = readdirSync(agentsDir).map((id) => join(agentsDir, id, 'sessions'))
  const indexes = folders.map((folder) => join(folder, 'sessions.json'))
  const lastMs = Math.max(
    ...indexes.flatMap((path) => [...readFileSync(path, 'utf8').matchAll(times)].map(([, , ms]) => Number(ms))),
  )
  const shiftMs = Date.now() - ageMs - lastMs
  for (const path of indexes) {
    const text = readFileSync(path, 'utf8')
    const moved = text.replaceAll(times, (_, name, ms) => `"${name}": ${Number(ms) + shiftMs}`)
    rewrite(path, () => moved)
  }
  for (const folder of folders) {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name)
      const { atimeMs, mtimeMs, isFile } = facts(path)
      if (isFile) utimesSync(path, (atimeMs + shiftMs) / 1_000, (mtimeMs + shiftMs) / 1_000)
    }
  }
}

/** Other content at the same time. */
export function rewrite(path: string, change: (text: string) => string): void {
  const { atimeMs, mtimeMs } = facts(path)
  writeFileSync(path, change(readFileSync(path, 'utf8')))
  utimesSync(path, atimeMs / 1_000, mtimeMs / 1_000)
}

function facts(path: string) {
  const stat = statSync(path)
  return { atimeMs: stat.atimeMs, mtimeMs: stat.mtimeMs, isFile: stat.isFile() }
}
