import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const fixtureVersions = ['2026.5.18', '2026.9.6'] as const
export type FixtureVersion = (typeof fixtureVersions)[number]

/** Where the gateways that wrote the fixtures believed to be. */
const writtenAt = '/home/bot'

/** A folder that is gone after its test. */
export class Ground implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'holdfast-home-'));

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

export interface Unpacked {
  /** Stands for `/home/bot`. */
  user: string
  /** The state directory: `<user>/.openclaw`. */
  dir: string
}

/**
 * A fixture under `root`, with the times of its files. `moved`: text files name the new place, as if the gateway had always run there;
 * else they name `/home/bot`, as after a copy to another machine.
 */
export function unpackFixture(version: FixtureVersion, root: string, { moved = true } = {}): Unpacked {
  const archive = fileURLToPath(new URL(`fixtures/openclaw-home-${version}.tar.gz`, import.meta.url))
  execFileSync('tar', ['-xzf', archive, '-C', root])
  const user = join(root, `home-${version}`)
  if (moved) rewritePaths(user, user)
  return { user, dir: join(user, '.openclaw') }
}

/** What a correct reader of the fixture sees: key → transcripts → [asked, answered, delivered]. */
export function expectedOf(version: FixtureVersion): Record<string, [string, string | null, boolean][][]> {
  const path = new URL(`fixtures/openclaw-home-${version}.expected.json`, import.meta.url)
  return JSON.parse(readFileSync(path, 'utf8'))
}

function rewritePaths(folder: string, user: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) rewritePaths(path, user)
    if (!entry.isFile()) continue
    const data = readFileSync(path)
    if (data.includes(0) || !data.includes(writtenAt)) continue
    const { atime, mtime, mode } = statSync(path)
    writeFileSync(path, data.toString('utf8').replaceAll(writtenAt, user), { mode })
    utimesSync(path, atime, mtime)
  }
}
