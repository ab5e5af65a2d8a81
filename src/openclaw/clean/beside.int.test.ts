import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cleaned, homeTree, keysOf, quietProcesses, stopped, undoAll } from '../../../test/openclaw/clean/cleaning.ts'
import { dayMs, idleHome, names, nobody, person } from '../../../test/openclaw/clean/idle-home.ts'
import { startTitled } from '../../../test/openclaw/holders.ts'
import { Ground } from '../../../test/openclaw/unpack.ts'
import { readProcesses } from '../../host/processes/read.ts'
import type { ForgottenSession } from '../gateway/delete-entry.ts'

describe('what changes while it cleans', () => {
  it('a transcript that is written to keeps its entry', async () => {
    using ground = new Ground()
    const built = idleHome(ground)
    const { path } = built.session(person(1))
    const readProcesses = async () => {
      setTimeout(() => appendFileSync(path, '{"type":"message"}\n'), 0)
      const table = await quietProcesses()
      await new Promise((resolve) => setTimeout(resolve, 5))
      return table
    }
    const { steps } = await cleaned(built.dir, {}, { readProcesses })
    expect(keysOf(built.dir)).toContain(person(1))
    expect(existsSync(path)).toBe(true)
    const own = steps.filter(({ key }) => key === person(1))
    expect(own.map(({ kind, left }) => [kind, left?.replace(/^[\w-]+/, '…')])).toEqual([
      ['drop-entry', '….jsonl has changed since it was looked at'],
      ['archive-transcript', '….jsonl has changed since it was looked at'],
    ])
    expect(steps.filter(({ done }) => done).length).toBeGreaterThan(5)
  })

  it('a gateway that starts meanwhile keeps its index, and what its entries name', async () => {
    using ground = new Ground()
    const { dir } = idleHome(ground)
    const before = keysOf(dir)
    const gatewayNow = async () => ({ state: 'running', pid: 7, sinceMs: 0, proof: '', container: null }) as const
    const { steps } = await cleaned(dir, {}, { gatewayNow })
    expect(keysOf(dir)).toEqual(before)
    const left = steps.filter(({ done }) => !done)
    expect(new Set(left.map((step) => step.left))).toEqual(new Set(['a gateway has started meanwhile']))
    expect(left.every(({ key }) => key !== null)).toBe(true)
    expect(steps.some(({ kind, done }) => kind === 'archive-leftover' && done)).toBe(true)
  })

  it('an index that is written meanwhile stays as it was written', async () => {
    using ground = new Ground()
    const { dir } = idleHome(ground)
    const path = join(dir, 'agents/main/sessions/sessions.json')
    const gatewayNow = async () => {
      const index = JSON.parse(readFileSync(path, 'utf8'))
      writeFileSync(path, JSON.stringify({ ...index, [person(9)]: { sessionId: 'x' } }))
      return stopped
    }
    const { steps } = await cleaned(dir, {}, { gatewayNow })
    expect(keysOf(dir)).toContain(person(9))
    expect(keysOf(dir)).toContain(person(1))
    expect(steps.find(({ key }) => key === person(1))?.left).toMatch(/index has changed/)
    expect(existsSync(join(dir, 'agents/main/sessions', 'sessions.json.lock'))).toBe(false)
  })

  it('another Holdfast is not waited for', async () => {
    using ground = new Ground()
    const { dir } = idleHome(ground)
    const { takeWriterLock } = await import('../files/own/writer-lock.ts')
    using _ = takeWriterLock(dir)
    await expect(cleaned(dir)).rejects.toMatchObject({ code: 'HOME_BUSY' })
  })
})

describe('locks', () => {
  it('of ended processes go with what they were for; others keep it', async () => {
    using ground = new Ground()
    const of = (at: number, pid: number) => ({ of: person(at), pid, ageMs: 0, startTicks: 1 })
    const built = idleHome(ground, {
      agents: [
        {
          id: 'main',
          sessions: [
            { key: 'agent:main:main' },
            { key: person(1), ageMs: 6 * dayMs },
            { key: person(2), ageMs: 6 * dayMs },
          ],
          locks: [of(1, nobody), { ...of(2, process.pid), text: JSON.stringify({ pid: process.pid }) }],
        },
      ],
    })
    await cleaned(built.dir)
    expect(keysOf(built.dir)).toEqual(['agent:main:main', person(2)])
    expect(names(built.dir).filter((name) => name.endsWith('.lock'))).toEqual([
      `${built.session(person(2)).sessionId}.jsonl.lock`,
    ])
  })

  it('of a killed run of ours are taken off, and nothing else knows of them', async () => {
    using ground = new Ground()
    const built = idleHome(ground)
    const { path } = built.session(person(1))
    const ours = { pid: nobody, createdAt: new Date().toISOString(), starttime: 1, holdfast: { host: 'x' } }
    writeFileSync(`${path}.lock`, JSON.stringify(ours, null, 2))
    const { steps } = await cleaned(built.dir)
    expect(steps.filter(({ kind }) => kind === 'clear-lock')).toEqual([])
    expect([existsSync(path), existsSync(`${path}.lock`)]).toEqual([false, false])
  })

  it('are held while a transcript goes', async () => {
    using ground = new Ground()
    const built = idleHome(ground)
    const trace = join(ground.root, 'trace')
    const program = new URL('../../../test/openclaw/programs/clean.ts', import.meta.url).pathname
    execFileSync('strace', [
      '-f',
      '-qq',
      '-o',
      trace,
      '-e',
      'trace=link,rename,unlink',
      process.execPath,
      '--no-warnings',
      program,
      built.dir,
    ])
    const name = `${built.session(person(1)).sessionId}.jsonl`
    const lines = readFileSync(trace, 'utf8').split('\n')
    const at = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line))
    const taken = at(new RegExp(`link.*${name}\\.lock"`))
    const renamed = at(new RegExp(`rename.*${name}"`))
    const released = at(new RegExp(`unlink.*${name}\\.lock"`))
    expect(taken).toBeGreaterThan(0)
    expect(renamed).toBeGreaterThan(taken)
    expect(released).toBeGreaterThan(renamed)
  })
})

describe('a gateway that runs', () => {
  const all = () => readProcesses(async () => null)
  /** Takes entries out as a gateway does: the whole index is written anew. */
  const forgetting = (dir: string, asked: ForgottenSession[]) => async () => async (session: ForgottenSession) => {
    asked.push(session)
    const path = join(dir, 'agents/main/sessions/sessions.json')
    const { [session.key]: gone, ...rest } = JSON.parse(readFileSync(path, 'utf8'))
    if (gone.updatedAt !== session.updatedAt) return { kind: 'refused', because: 'it changed' } as const
    writeFileSync(`${path}.x.tmp`, JSON.stringify(rest, null, 2))
    renameSync(`${path}.x.tmp`, path)
    return { kind: 'done' } as const
  }

  it('keeps its sessions; what it has let go of goes', async () => {
    using ground = new Ground()
    const { dir } = idleHome(ground)
    await using _ = await startTitled(dir)
    const before = keysOf(dir)
    const { steps, gateway } = await cleaned(dir, {}, { readProcesses: all })
    expect(gateway.state).toBe('running')
    expect(keysOf(dir)).toEqual(before)
    expect(steps.filter(({ key }) => key !== null).every(({ left }) => /holdfast prestart/.test(left ?? ''))).toBe(true)
    expect(steps.filter(({ key }) => key === null).every(({ done }) => done)).toBe(true)
  })

  it('takes entries out itself when it is asked; their transcripts follow, and all of it can be undone', async () => {
    using ground = new Ground()
    const { dir } = idleHome(ground)
    const before = homeTree(dir)
    const asked: ForgottenSession[] = []
    const gatewayNow = async () => ({ state: 'running', pid: 7, sinceMs: 0, proof: '', container: null }) as const
    {
      await using _ = await startTitled(dir)
      const { steps } = await cleaned(
        dir,
        {},
        { readProcesses: all, gatewayNow, throughGateway: forgetting(dir, asked) },
      )
      expect(steps.filter(({ done }) => !done)).toEqual([])
    }
    expect(asked.map(({ key }) => key)).toEqual(expect.arrayContaining([person(1), person(3)]))
    expect(asked.every(({ sessionId, updatedAt }) => sessionId.length === 36 && updatedAt > 0)).toBe(true)
    expect(keysOf(dir)).not.toContain(person(1))
    expect(await undoAll(dir)).toEqual([])
    expect(Object.keys(homeTree(dir))).toEqual(Object.keys(before))
    expect(keysOf(dir).sort()).toEqual(expect.arrayContaining([person(1), person(3)]))
  })

  it('is left with what it does not want to lose, and asked for no more than it can do', async () => {
    using ground = new Ground()
    const built = idleHome(ground)
    await using _ = await startTitled(built.dir)
    const gatewayNow = async () => ({ state: 'running', pid: 7, sinceMs: 0, proof: '', container: null }) as const
    const refuse = async () => async () => ({ kind: 'refused', because: 'it was used' }) as const
    const how = { readProcesses: all, gatewayNow, throughGateway: refuse }
    const { steps } = await cleaned(built.dir, {}, how)
    const own = steps.filter(({ key }) => key === person(1))
    expect(own.map(({ left }) => left)).toEqual(['it was used', 'it was used'])
    expect(existsSync(built.session(person(1)).path)).toBe(true)
    let asked = 0
    const unable = async () => async () => {
      asked += 1
      return { kind: 'unable', because: 'it cannot' } as const
    }
    await cleaned(built.dir, {}, { ...how, throughGateway: unable })
    expect(asked).toBe(1)
  })
})
