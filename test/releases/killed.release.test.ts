import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { forgetCompiled, holdfastProcess } from '../cli/processes.ts'
import { type Gateway, killGateways, startGateway, withoutResets } from './gateway.ts'
import { say, type Talk } from './load.ts'
import { RememberingModel } from './model.ts'

const minuteMs = 60_000
/** A start goes on with what was cut off five seconds after it is ready; then the turns take as long as they take. */
const resumedAfterMs = 40_000
const interrupted = 8
/** Of one agent, as `prestart` has it where nobody says otherwise. */
const resumesMax = 5

const model = RememberingModel.ofFile()
afterEach(killGateways)
afterAll(forgetCompiled)

const talkOf = (at: number): Talk => ({ key: `agent:main:telegram:direct:${at}`, said: [] })
const cutOff = (at: number) => `in the middle of ${at}`

/** How many of the interrupted sessions the start went on with by itself. */
async function resumedBy(gateway: Gateway, talks: readonly Talk[]): Promise<number> {
  const from = model.asked.length
  await sleep(resumedAfterMs)
  expect(gateway.pid).toBeGreaterThan(0)
  const shown = model.asked.slice(from).map((asked) => asked.shown.join('\n'))
  return talks.filter((_, at) => shown.some((text) => text.includes(cutOff(at)))).length
}

describe.each(['2026.5.18', '2026.7.1'])('the real release %s, killed in the middle of turns', (version) => {
  it('goes on with as many as prestart says, and answers everybody else at their next message', async () => {
    const home = mkdtempSync(join(tmpdir(), 'holdfast-killed-'))
    const [state, copy] = [join(home, '.openclaw'), join(home, 'as-killed')]
    const talks = Array.from({ length: interrupted }, (_, at) => talkOf(at))
    const told = { turns: 0, failures: [] as string[] }
    const first = await startGateway(version, home, model.url, withoutResets)
    for (const talk of talks) await say(first, model, talk, `the first of ${talk.key}`, told)
    expect(told.failures).toEqual([])
    model.delayMs = 10 * minuteMs
    const from = model.asked.length
    const cut = talks.map(({ key }, at) => first.turn(key, cutOff(at)).catch((error: Error) => error.message))
    await expect
      .poll(
        () =>
          new Set(model.asked.slice(from).map(({ shown }) => shown.findLast((line) => line.includes('in the middle'))))
            .size,
        {
          timeout: 4 * minuteMs,
        },
      )
      .toBe(interrupted)
    await first.stop('SIGKILL')
    await Promise.all(cut)
    model.delayMs = 0
    cpSync(state, copy, { recursive: true, preserveTimestamps: true })
    const entries: { status?: string }[] = Object.values(
      JSON.parse(readFileSync(join(state, 'agents/main/sessions/sessions.json'), 'utf8')),
    )
    const running = entries.filter(({ status }) => status === 'running').length

    const plain = await startGateway(version, home, model.url, withoutResets)
    const without = await resumedBy(plain, talks)
    await plain.stop()
    rmSync(state, { recursive: true })
    cpSync(copy, state, { recursive: true, preserveTimestamps: true })

    const { code, stdout, stderr } = await holdfastProcess(['prestart', '--home', state, '--json'], {
      cwd: home,
      env: { HOME: home },
    })
    expect(code, stdout + stderr).toBe(0)
    const steps = JSON.parse(stdout).homes[0].steps as { kind: string; done: boolean; because: string }[]
    const settled = steps.filter(({ kind, done }) => kind === 'settle-entry' && done).length
    const gateway = await startGateway(version, home, model.url, withoutResets)
    const resumed = await resumedBy(gateway, talks)
    for (const talk of talks) await say(gateway, model, talk, `and now, ${talk.key}?`, told)
    await gateway.stop()
    console.log(version, {
      interrupted,
      running,
      without,
      settled,
      resumed,
      steps: steps.map(({ kind, because, done }) => `${kind} ${done}: ${because}`),
      told,
    })
    expect(settled).toBe(Math.max(0, running - resumesMax))
    expect(settled).toBeGreaterThan(0)
    expect(resumed).toBeLessThanOrEqual(resumesMax)
    expect(told.failures).toEqual([])
    rmSync(home, { recursive: true, force: true })
  })
})
