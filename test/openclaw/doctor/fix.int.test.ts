import { appendFileSync, chmodSync, existsSync, readFileSync, utimesSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { holdfast } from '../../cli/program.ts'
import { people } from '../crowd.ts'
import type { BuiltHome } from '../plans.ts'
import { Ground } from '../unpack.ts'
import { pictureOf } from './picture.ts'
import { dayMs, homeIn, nobody, plainText, seen } from './scenes.ts'

const golden = (scenario: string) => new URL(`../../cli/golden/doctor-${scenario}.txt`, import.meta.url).pathname

/** Everything that `--fix` puts right, and one thing that it leaves to people. */
function illHome(ground: Ground): BuiltHome {
  const [first, second, third, ...more] = people(8, { days: 4 })
  const sessions = [first, second, third, ...more] as typeof more
  const home = homeIn(ground, {
    nowMs: Date.now(),
    agents: [
      {
        id: 'main',
        sessions: [...sessions, { key: 'agent:main:telegram:direct:9', bound: false, ageMs: 2 * dayMs }],
        leftovers: (['deleted', 'backup', 'index-temporary'] as const).map((kind) => ({ kind, ageMs: 9 * dayMs })),
        locks: [
          { of: first?.key ?? '', pid: nobody, ageMs: dayMs },
          { of: second?.key ?? '', pid: 0, ageMs: dayMs, text: 'no lock' },
        ],
      },
      { id: 'lost', sessions: people(3, { agentId: 'lost', days: 2, seed: 5 }), index: '{"agent:lost:main":{"sess' },
    ],
  })
  damage(home.session(first?.key ?? '').path, '{"type":"message","id":"ffff0001","message":{"content":"to')
  damage(home.session(third?.key ?? '').path, '{"type":"mess\n')
  chmodSync(ground.root, 0o711)
  chmodSync(`${ground.root}/home`, 0o711)
  chmodSync(home.dir, 0o755)
  return home
}

/** An hour ago. */
function damage(path: string, text: string): void {
  appendFileSync(path, text)
  const atSeconds = Date.now() / 1_000 - 3_600
  utimesSync(path, atSeconds, atSeconds)
}

describe('doctor --fix', () => {
  it('shows what it would do, and does it when it is told', async () => {
    using ground = new Ground()
    const home = illHome(ground)
    const before = pictureOf(home.dir)
    const shown = await seen(ground, 'doctor --fix --dry-run --home home', Date.now())
    expect(pictureOf(home.dir)).toEqual(before)
    const done = await seen(ground, 'doctor --fix --home home', Date.now())
    const times = /\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z/g
    const text = [shown.text, done.text]
      .join('\n')
      .replaceAll(times, '<time>')
      .replaceAll(/\d{8}T\d{6}Z-([a-z]+)-[0-9a-f]{8}/g, '<$1 run>')
    await expect(text).toMatchFileSnapshot(golden('fix'))
  })

  it('can be taken back to the byte, and does nothing the second time', async () => {
    using ground = new Ground()
    const home = illHome(ground)
    const words = bytesOf(home)
    const env = { HOME: ground.root, PATH: '' }
    const fix = ['doctor', '--fix', '--home', 'home', '--json']
    const first = JSON.parse((await holdfast(fix, { cwd: ground.root, env })).stdout).homes[0]
    const again = JSON.parse((await holdfast(fix, { cwd: ground.root, env })).stdout).homes[0]
    expect(first.fixed.steps.length).toBeGreaterThan(6)
    expect(first.fixed.steps.filter(({ done }: { done: boolean }) => !done)).toHaveLength(1) // the lost index
    expect(again.fixed.steps.filter(({ left }: { left: string | null }) => left === null)).toEqual([])
    expect(again.fixed.manifests).toEqual([])
    expect(bytesOf(home)).not.toEqual(words)
    for (const manifest of first.fixed.manifests.toReversed()) {
      const { code } = await holdfast(['undo', manifest], { cwd: ground.root, env })
      expect(code).toBe(0)
    }
    expect(bytesOf(home)).toEqual(words)
  })

  it('leaves everything as it is where another Holdfast is at work', async () => {
    using ground = new Ground()
    const home = illHome(ground)
    const { takeWriterLock } = await import('../../../src/openclaw/files/own/writer-lock.ts')
    using _ = takeWriterLock(home.dir)
    const before = bytesOf(home)
    const { code, text } = await seen(ground, 'doctor --fix --home home', Date.now())
    expect({ code, text: plainText(text, ground) }).toMatchObject({
      code: 2,
      text: expect.stringContaining('another Holdfast'),
    })
    expect(bytesOf(home)).toEqual(before)
  })
})

/** Of everything that the home had at first. */
function bytesOf({ sessions, leftovers, locks, sessionsDir }: BuiltHome): (string | null)[] {
  const indexes = ['main', 'lost'].map((id) => `${sessionsDir(id)}/sessions.json`)
  const paths = [...sessions.map(({ path }) => path), ...leftovers, ...locks, ...indexes]
  return paths.map((path) => (existsSync(path) ? readFileSync(path, 'latin1') : null))
}
