import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type InstallationGround, installationFacts } from './installation.ts'

let top: string
let ground: InstallationGround
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'holdfast-installed-'))
  onTestFinished(() => rmSync(top, { recursive: true }))
  ground = {
    platform: 'linux',
    uid: 1000,
    userDir: top,
    configHome: join(top, '.config'),
    openclaw: null,
    run: async ([name]) => ({ code: name === 'podman' ? 0 : null, stdout: '', stderr: '' }),
    systemFolders: [join(top, 'system')],
  }
})
const put = (path: string, text: string) => {
  mkdirSync(join(top, path, '..'), { recursive: true })
  writeFileSync(join(top, path), text)
}
const stopped = { state: 'stopped', proof: 'nobody' } as const

describe('the installation of a home', () => {
  it('has the units that name it, and no others', async () => {
    put('.config/systemd/user/openclaw-gateway.service', '[Service]\nExecStart=openclaw gateway\n')
    put('.config/systemd/user/openclaw-second.service', '[Service]\nEnvironment=OPENCLAW_STATE_DIR=/srv/second\n')
    put('system/openclaw@third.service', '[Service]\nEnvironment="OPENCLAW_STATE_DIR=/srv/third dir"\n')
    put('system/nginx.service', '[Service]\n')
    const units = async (dir: string) => (await installationFacts({ dir }, stopped, ground)).units
    expect(await units(join(top, '.openclaw'))).toEqual({ user: ['openclaw-gateway.service'], system: [] })
    expect(await units('/srv/second')).toEqual({ user: ['openclaw-second.service'], system: [] })
    expect(await units('/srv/third dir')).toEqual({ user: [], system: ['openclaw@third.service'] })
    expect(await units('/srv/fourth')).toEqual({ user: [], system: [] })
  })
  it('is asked of the process that runs', async () => {
    const running = { state: 'running', pid: process.pid, sinceMs: 0, proof: 'its lock', container: 'abc' } as const
    const facts = await installationFacts({ dir: '/srv/x' }, running, ground)
    expect(facts.cgroup).toMatch(/^\d+:/)
    expect(facts).toMatchObject({ container: 'abc', containerCommand: 'podman' })
  })
})
