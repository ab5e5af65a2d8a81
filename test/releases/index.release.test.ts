import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import type { AgentHome } from '../../src/openclaw/home/home.ts'
import { patchEntry } from '../../src/openclaw/index/edit.ts'
import { collectRebuild } from '../../src/openclaw/index/rebuild/collect.ts'
import { planRebuild } from '../../src/openclaw/index/rebuild/plan.ts'
import { openIndexStore } from '../../src/openclaw/index/store/store.ts'
import { startGateway } from './gateway.ts'
import { RememberingModel } from './model.ts'

const model = RememberingModel.ofFile()

const plain = 'agent:main:discord:channel:1506258704541159484'
const threaded = 'agent:main:slack:channel:c0abc123:thread:1712345678.000100'
const keys = [plain, threaded, 'agent:main:main']

describe.each(['2026.5.18', '2026.7.1'])('the real release %s', (version) => {
  /** A home in which each key has been told its own word; its gateway is down. */
  async function home() {
    const dir = mkdtempSync(join(tmpdir(), 'holdfast-release-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const sessionsDir = join(dir, '.openclaw/agents/main/sessions')
    const agent: AgentHome = {
      id: 'main',
      sessionsDir,
      indexPath: join(sessionsDir, 'sessions.json'),
      databasePath: null,
    }
    const start = () => startGateway(version, dir, model.url, {}, { OPENCLAW_TRAJECTORY: '1' })
    const gateway = await start()
    for (const key of keys) expect(await gateway.turn(key, `the word is ${wordOf(key)}`)).toMatchObject({ status: 200 })
    await gateway.stop()
    return { root: join(dir, '.openclaw'), agent, start }
  }
  const wordOf = (key: string) => `word${keys.indexOf(key)}word`

  /** Those of them whose word the model is shown when they are asked for it. */
  async function remembered(start: () => ReturnType<typeof startGateway>, asked: string[]) {
    const gateway = await start()
    try {
      const found: string[] = []
      for (const key of asked) {
        expect(await gateway.turn(key, 'which word was it?')).toMatchObject({ status: 200 })
        if (model.asked.at(-1)?.shown.join('\n').includes(wordOf(key))) found.push(key)
      }
      return found
    } finally {
      await gateway.stop()
    }
  }
  const indexOf = (agent: AgentHome) => JSON.parse(readFileSync(agent.indexPath, 'utf8'))

  it('forgets everything with an empty index, and nothing with the one that is made anew', async () => {
    const { root, agent, start } = await home()
    const before = indexOf(agent)
    writeFileSync(agent.indexPath, '')
    const plan = planRebuild(await collectRebuild(agent, root, Date.now()))
    expect(plan.entries.map(({ key, origin }) => [key, origin.from]).sort()).toEqual(
      keys.map((key) => [key, 'trajectory']).sort(),
    )
    writeFileSync(agent.indexPath, plan.text ?? '', { mode: 0o600 })
    for (const key of keys) expect(indexOf(agent)[key].sessionId).toBe(before[key].sessionId)
    expect(await remembered(start, keys)).toEqual(keys)

    writeFileSync(agent.indexPath, '')
    expect(await remembered(start, keys)).toEqual([])
  })
  it('finds a transcript by a name that only the new index tells', async () => {
    const { root, agent, start } = await home()
    const { sessionId } = indexOf(agent)[plain]
    for (const name of readdirSync(agent.sessionsDir).filter((each) => each.startsWith(sessionId)))
      renameSync(join(agent.sessionsDir, name), join(agent.sessionsDir, `2026-11-21T06-41-00-000Z_${name}`))
    rmSync(agent.indexPath)
    const { text } = planRebuild(await collectRebuild(agent, root, Date.now()))
    writeFileSync(agent.indexPath, text ?? '', { mode: 0o600 })
    expect(indexOf(agent)[plain].sessionFile).toBe(`2026-11-21T06-41-00-000Z_${sessionId}.jsonl`)
    expect(await remembered(start, [plain])).toEqual([plain])
  })
  it('goes on with an index that the store has changed, and keeps what it says', async () => {
    const { root, agent, start } = await home()
    const store = openIndexStore(agent, root, { clock: systemClock, keeping: null })
    const before = indexOf(agent)
    await store.update(({ raw }) => [
      { key: threaded, before: raw(threaded), after: null },
      {
        key: plain,
        before: raw(plain),
        after: patchEntry(raw(plain) ?? '', {
          skillsSnapshot: undefined,
          systemPromptReport: undefined,
          label: 'kept',
        }),
      },
    ])
    expect(await remembered(start, [plain])).toEqual([plain])
    const after = indexOf(agent)
    expect(after[plain]).toMatchObject({ sessionId: before[plain].sessionId, label: 'kept' })
    expect(after[threaded]).toBeUndefined()
    expect(after['agent:main:main'].sessionId).toBe(before['agent:main:main'].sessionId)
    const facts = await store.read()
    expect(facts).toMatchObject({ state: 'read', duplicates: [] })
  })
})
