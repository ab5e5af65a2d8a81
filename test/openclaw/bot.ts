import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { node } from '../cli/processes.ts'
import { buildHome } from './build.ts'
import type { AgentPlan, BuiltHome } from './plans.ts'

/** Of a bot that says nothing else of itself. */
export const botKey = 'agent:main:telegram:direct:42'

/** A home with a gateway of its own that can be made to stand still. */
export class Bot implements Disposable {
  readonly top = mkdtempSync(join(tmpdir(), 'holdfast-bot-'))
  readonly home = join(this.top, '.openclaw')
  readonly openclaw = join(this.top, 'openclaw.mjs')
  readonly built: BuiltHome

  constructor(main: Partial<AgentPlan> = {}) {
    copyFileSync(fileURLToPath(new URL('programs/stand-in.mjs', import.meta.url)), this.openclaw)
    this.built = buildHome(this.home, { agents: [{ id: 'main', sessions: [{ key: botKey }], ...main }] })
  }

  get sessions(): string {
    return join(this.home, 'agents/main/sessions')
  }

  locks(): string[] {
    return readdirSync(this.sessions).filter((name) => name.endsWith('.lock'))
  }

  get pid(): number {
    return Number(readFileSync(join(this.home, 'stand-in.pid'), 'utf8'))
  }

  async start(wedgedAt: string | null): Promise<void> {
    if (wedgedAt !== null) writeFileSync(join(this.home, 'wedge'), wedgedAt)
    const env = { PATH: process.env.PATH, OPENCLAW_STATE_DIR: this.home, HOME: this.top }
    spawn(node, [this.openclaw, 'gateway'], { env, detached: true, stdio: 'ignore' }).unref()
    while (!existsSync(join(this.home, 'stand-in.pid'))) await sleep(20)
  }

  [Symbol.dispose](): void {
    const pidFile = join(this.home, 'stand-in.pid')
    if (existsSync(pidFile)) spawnSync('kill', ['-9', readFileSync(pidFile, 'utf8')])
    rmSync(this.top, { recursive: true })
  }
}
