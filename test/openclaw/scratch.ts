import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { sha256 } from '../../src/host/random.ts'
import type { StepKind, StepNote } from '../../src/openclaw/changes/run.ts'
import { identityOf, type Judged } from '../../src/openclaw/files/identity.ts'
import type { Home } from '../../src/openclaw/home/home.ts'
import { defaultHomePolicy } from '../../src/openclaw/home/policy.ts'

/** A home with one agent and nothing in it, on a disk. */
export class Scratch implements AsyncDisposable {
  readonly top: string
  readonly home: Home

  private constructor(top: string) {
    this.top = top
    this.home = homeIn(join(top, 'home'))
  }

  static async open(parent = tmpdir()): Promise<Scratch> {
    const scratch = new Scratch(await realpath(await mkdtemp(join(parent, 'holdfast-home-'))))
    mkdirSync(scratch.sessions, { recursive: true })
    chmodSync(scratch.home.dir, 0o700)
    return scratch
  }

  get sessions(): string {
    return join(this.home.dir, 'agents/main/sessions')
  }

  /** In the home. */
  at(name: string): string {
    return join(this.home.dir, name)
  }

  /** In the sessions directory. */
  path(name: string): string {
    return join(this.sessions, name)
  }

  /** Gives the path of the file in the sessions directory. */
  write(name: string, content: string | Uint8Array): string {
    const path = this.path(name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.top, { recursive: true, force: true })
  }
}

export function homeIn(dir: string): Home {
  const sessionsDir = join(dir, 'agents/main/sessions')
  return {
    dir,
    generation: 'files',
    version: null,
    agents: [{ id: 'main', sessionsDir, indexPath: join(sessionsDir, 'sessions.json'), databasePath: null }],
    policy: defaultHomePolicy,
    receipts: [],
    configPath: null,
    elsewhere: null,
    unreadable: [],
  }
}

export function judgeFile(path: string): Judged {
  const stat = lstatSync(path, { bigint: true })
  return { path, identity: identityOf(stat), sha256: stat.isFile() ? sha256(readFileSync(path)) : null }
}

export function noteOf(kind: StepKind = 'archive-transcript', key: string | null = null): StepNote {
  return { kind, because: 'of this test', key }
}
