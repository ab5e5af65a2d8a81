import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Diagnosis } from '../../src/openclaw/doctor/diagnosis.ts'
import { forgetCompiled, spawnHoldfast } from '../cli/processes.ts'
import { killGateways, startGateway } from './gateway.ts'
import { RememberingModel } from './model.ts'

const model = RememberingModel.ofFile()
afterAll(async () => {
  await killGateways()
  forgetCompiled()
})

async function look(user: string): Promise<{ code: number; home: Diagnosis }> {
  const dir = join(user, '.openclaw')
  const argv = ['doctor', '--check', '--home', dir, '--json']
  const { code, stdout } = await spawnHoldfast(argv, { cwd: user, env: { HOME: user } }).ended
  return { code, home: JSON.parse(stdout).homes[0] }
}

const illnesses = ({ findings }: Diagnosis) => {
  return findings.filter(({ severity }) => severity !== 'note').map(({ code, examples }) => ({ code, examples }))
}

describe.each(['2026.5.18', '2026.7.1', '2026.9.6'])('a home that %s keeps well', (version) => {
  it('has nothing wrong with it, while the gateway is at work and after it has left', async () => {
    const user = mkdtempSync(join(tmpdir(), 'holdfast-release-'))
    const gateway = await startGateway(version, user, model.url)
    for (const key of ['agent:main:channel:c1', 'agent:main:main', 'agent:main:telegram:direct:42']) {
      for (const text of ['first', 'second', 'third']) await gateway.turn(key, `the ${text} message`)
    }
    chmodSync(join(user, '.openclaw'), 0o700) // the test made it, not the gateway
    const live = await look(user)
    expect(live.home.gateway).toMatchObject({ state: 'running', pid: expect.any(Number) })
    expect({ code: live.code, ill: illnesses(live.home) }).toEqual({ code: 0, ill: [] })
    await gateway.turn('agent:main:channel:c1', 'the last message')
    await gateway.stop()
    const left = await look(user)
    expect({ code: left.code, ill: illnesses(left.home) }).toEqual({ code: 0, ill: [] })
    expect([version, null]).toContain(left.home.version) // 2026.5 does not always write it down
    rmSync(user, { recursive: true, force: true })
  })
})
