import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface RaceResult {
  /** How often holders had the lock; how often it was gone from under one, for a moment or for good. */
  taken: number
  away: number
  lost: number
  cleared: number
}

/** Three processes take, release and abandon one lock, and three others judge and clear it, at the same time for so long. */
export async function race(way: 'archive' | 'unlink', forMs: number): Promise<RaceResult> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-race-')))
  const sessions = join(dir, 'agents', 'main', 'sessions')
  mkdirSync(sessions, { recursive: true })
  try {
    const holder = () => say('hold-lock', [join(sessions, 'a.jsonl.lock'), String(forMs)])
    const clearer = () => say('clear-locks', [dir, sessions, way, String(forMs)])
    const said = await Promise.all([holder(), holder(), holder(), clearer(), clearer(), clearer()])
    const sum = (name: string) => said.reduce((total, each) => total + (each[name] ?? 0), 0)
    return { taken: sum('taken'), away: sum('away'), lost: sum('lost'), cleared: sum('cleared') }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function say(program: string, args: readonly string[]): Promise<Partial<Record<string, number>>> {
  const path = new URL(`programs/${program}.ts`, import.meta.url).pathname
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
  return JSON.parse(text)
}
