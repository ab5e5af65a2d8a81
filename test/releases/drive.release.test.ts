import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startGateway } from './gateway.ts'
import { RememberingModel } from './model.ts'

const model = RememberingModel.ofFile()

describe.each(['2026.5.18', '2026.7.1', '2026.9.6'])('the real release %s', (version) => {
  it('answers, and shows the model what was said before', async () => {
    const home = mkdtempSync(join(tmpdir(), 'holdfast-release-'))
    const gateway = await startGateway(version, home, model.url)
    expect(await gateway.turn('agent:main:channel:c1', 'the first message')).toMatchObject({ status: 200 })
    expect(await gateway.turn('agent:main:channel:c1', 'the second message')).toMatchObject({ status: 200 })
    expect(model.asked.at(-1)?.shown.join('\n')).toMatch(/the first message[\s\S]*the second message/)
    await gateway.stop()
    rmSync(home, { recursive: true, force: true })
  })
})
