import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { forgetCompiled, holdfastProcess } from '../cli/processes.ts'
import { ageTo, rewrite } from './aged.ts'
import { killGateways, programOf, startGateway, withoutResets } from './gateway.ts'
import { say, type Talk } from './load.ts'
import { RememberingModel } from './model.ts'

const dayMs = 86_400_000

const model = RememberingModel.ofFile()
afterEach(killGateways)
afterAll(forgetCompiled)

interface Told {
  steps: { kind: string; key: string | null; path: string; done: boolean; left: string | null }[]
  manifest: string | null
}

async function holdfast(state: string, ...argv: string[]): Promise<Told> {
  const env = { HOME: join(state, '..') }
  const { stdout, stderr } = await holdfastProcess([...argv, '--home', state, '--json'], {
    cwd: join(state, '..'),
    env,
  })
  if (!stdout.startsWith('{')) throw new Error(stderr)
  return JSON.parse(stdout).homes[0]
}

type Entry = Record<string, unknown> & { sessionFile: string }
const indexPath = (state: string) => join(state, 'agents/main/sessions/sessions.json')
const indexOf = (state: string): Record<string, Entry> => JSON.parse(readFileSync(indexPath(state), 'utf8'))
const running = (state: string) =>
  Object.keys(indexOf(state)).filter((key) => indexOf(state)[key]?.status === 'running')
/** That a turn has ended is written a moment after its answer. */
const allEnded = (state: string) => expect.poll(() => running(state), { timeout: 60_000 }).toEqual([])
const talkOf = (rest: string): Talk => ({ key: `agent:main:${rest}`, said: [] })

describe.each(['2026.5.18', '2026.7.1'])('the real release %s', (version) => {
  it('makes anew what was taken out of a heavy index, goes on with what was cut off, and remembers all', async () => {
    const home = mkdtempSync(join(tmpdir(), 'holdfast-slim-'))
    const state = join(home, '.openclaw')
    const talks = ['telegram:direct:1', 'discord:channel:2'].map(talkOf)
    const told = { turns: 0, failures: [] as string[] }
    const first = await startGateway(version, home, model.url, withoutResets)
    for (const talk of talks) await say(first, model, talk, `the first of ${talk.key}`, told)
    await allEnded(state)
    model.delayMs = 600_000
    const cut = first.turn(talks[0]?.key ?? '', 'cut off in the middle').catch(() => null)
    const isAsked = () => model.asked.some(({ shown }) => shown.join().includes('cut off in the middle'))
    await expect.poll(isAsked, { timeout: 60_000 }).toBe(true)
    await expect.poll(() => running(state), { timeout: 60_000 }).toEqual([talks[0]?.key])
    await first.stop('SIGKILL')
    await cut
    model.delayMs = 0
    // 2026.5.18 goes on only with what is marked so; the newer one with whatever was running
    rewrite(indexPath(state), (text) => text.replaceAll('"abortedLastRun": false', '"abortedLastRun": true'))
    const before = indexOf(state)
    expect(Object.values(before).every((entry) => entry.skillsSnapshot !== undefined)).toBe(true)

    rewrite(join(state, 'openclaw.json'), (text) =>
      JSON.stringify({
        ...JSON.parse(text),
        session: { ...withoutResets.session, maintenance: { rotateBytes: '10kb' } },
      }),
    )
    const { steps } = await holdfast(state, 'clean', '--mode', 'enforce')
    expect(steps).toMatchObject([{ kind: 'rotate-index', done: true }])
    expect(Object.values(indexOf(state)).every((entry) => entry.skillsSnapshot === undefined)).toBe(true)

    const asked = model.asked.length
    const again = await startGateway(version, home, model.url, withoutResets)
    await sleep(30_000)
    const resumed = model.asked.slice(asked).filter(({ shown }) => shown.join().includes('cut off in the middle'))
    for (const talk of talks) await say(again, model, talk, `and now, ${talk.key}?`, told)
    await again.stop()
    expect(told.failures).toEqual([])
    expect(resumed.length).toBeGreaterThan(0)
    for (const [key, entry] of Object.entries(indexOf(state))) {
      expect([key, entry.skillsSnapshot !== undefined, entry.systemPromptReport !== undefined]).toEqual([
        key,
        true,
        true,
      ])
    }
    rmSync(home, { recursive: true, force: true })
  })

  it('takes entries out itself where it compares first, and is left alone where it does not', async () => {
    const home = mkdtempSync(join(tmpdir(), 'holdfast-through-'))
    const state = join(home, '.openclaw')
    const idle = ['telegram:direct:1', 'telegram:direct:2'].map(talkOf)
    const fresh = talkOf('telegram:direct:3')
    const told = { turns: 0, failures: [] as string[] }
    const first = await startGateway(version, home, model.url, withoutResets)
    for (const talk of idle) await say(first, model, talk, `the first of ${talk.key}`, told)
    await allEnded(state)
    await first.stop()
    ageTo(state, 9 * dayMs)
    const files = idle.map(({ key }) => indexOf(state)[key]?.sessionFile ?? '')
    const gateway = await startGateway(version, home, model.url, withoutResets)
    await say(gateway, model, fresh, 'the first of today', told)
    const argv = ['clean', '--mode', 'enforce', '--through-gateway', '--openclaw', programOf(version)]
    const { steps, manifest } = await holdfast(state, ...argv)
    await say(gateway, model, fresh, 'the second of today', told)
    const keys = Object.keys(indexOf(state))
    await gateway.stop()
    const compares = version !== '2026.5.18'
    expect(keys.includes(fresh.key)).toBe(true)
    expect(keys.filter((key) => idle.some((talk) => talk.key === key))).toHaveLength(compares ? 0 : 2)
    expect(files.map((file) => existsSync(file))).toEqual([!compares, !compares])
    for (const { done, left } of steps) expect([done, left === null]).toEqual([compares, compares])
    if (!compares) expect(steps[0]?.left).toMatch(/cannot do it without risk/)
    if (compares) {
      const { steps: back } = await holdfast(state, 'undo', manifest ?? '')
      expect(back.filter(({ done }) => !done)).toEqual([])
    }
    const last = await startGateway(version, home, model.url, withoutResets)
    for (const talk of [...idle, fresh]) await say(last, model, talk, `and now, ${talk.key}?`, told)
    await last.stop()
    expect(told.failures).toEqual([])
    rmSync(home, { recursive: true, force: true })
  })
})
