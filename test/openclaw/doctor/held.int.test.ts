import { afterEach, expect, it } from 'vitest'
import { people } from '../crowd.ts'
import { type HolderPlan, startHolder } from '../holders.ts'
import { Ground } from '../unpack.ts'
import { homeIn, seen } from './scenes.ts'

const golden = (scenario: string) => new URL(`../../cli/golden/doctor-${scenario}.txt`, import.meta.url).pathname
const children: { kill(signal: 'SIGKILL'): boolean }[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

async function sceneWith(ground: Ground, env: HolderPlan['env'] & object): Promise<string> {
  const sessions = people(4, { days: 2 })
  const running = { ...sessions[0], status: 'running' as const } as (typeof sessions)[0]
  const home = homeIn(ground, {
    nowMs: Date.now(),
    agents: [{ id: 'main', sessions: [running, ...sessions.slice(1)] }],
  })
  children.push(await startHolder({ locks: [`${home.session(running.key).path}.lock`], env }))
  const { text } = await seen(ground, 'doctor --home home', Date.now(), 1)
  const names = text.replaceAll(/\b(process|pid) \d+/g, '$1 <pid>').replaceAll(/\/\S*\/node /g, '<node> ')
  return names.replaceAll(/\b12m(?: \d+s)?/g, '12m').replaceAll(/\b\d+(?:ms|s)\b/g, '<moment>')
}

it('a lock that a live process has held for twelve minutes is no lock to clear', async () => {
  using ground = new Ground()
  await expect(await sceneWith(ground, { HELD_FOR_MS: String(12 * 60_000 + 5_000) })).toMatchFileSnapshot(
    golden('held'),
  )
})

it('a lock of a turn that has just begun is only a note', async () => {
  using ground = new Ground()
  const text = await sceneWith(ground, {})
  expect(text).toContain('(LOCK_HELD)')
  expect(text).not.toMatch(/LOCK_(?:DEAD|OVERDUE|UNKNOWN)/)
})
