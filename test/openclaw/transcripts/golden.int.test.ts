import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { holdfast } from '../../cli/program.ts'
import { buildHome } from '../build.ts'
import { dayMs, nowMs, plainText } from '../doctor/scenes.ts'
import type { BuiltHome } from '../plans.ts'
import { Ground } from '../unpack.ts'

const golden = (scenario: string) => new URL(`../../cli/golden/repair-${scenario}.txt`, import.meta.url).pathname

async function seen(ground: Ground, ...lines: string[]): Promise<string> {
  const parts: string[] = []
  for (const line of lines) {
    const scene = { cwd: ground.root, env: { HOME: ground.root, PATH: '' }, nowMs }
    const { code, stdout, stderr } = await holdfast(line.split(' '), scene)
    const text = `$ holdfast ${line}\n${stdout}${stderr.replace(/^(?=.)/gm, '! ')}${code === 0 ? '' : `exit ${code}\n`}`
    parts.push(plainText(text, ground).replace(/\d{8}T\d{6}Z-repair-[0-9a-f]{8}/g, '<run>'))
  }
  return parts.join('\n')
}

const keyOf = (name: string) => `agent:main:telegram:direct:${name}`

function homeIn(ground: Ground): BuiltHome {
  const names = ['torn', 'header', 'welded', 'zeros', 'chain', 'half', 'well']
  const sessions = names.map((name) => ({ key: keyOf(name), turns: 3, ageMs: dayMs }))
  const doubled = { key: keyOf('twice'), turns: 2, ageMs: dayMs, doubled: true }
  return buildHome(`${ground.root}/.openclaw`, { nowMs, agents: [{ id: 'main', sessions: [doubled, ...sessions] }] })
}

function damage(home: BuiltHome, name: string, change: (lines: string[]) => string): void {
  const { path } = home.session(keyOf(name))
  writeFileSync(path, change(readFileSync(path, 'utf8').trimEnd().split('\n')))
}

const text = (lines: string[]) => `${lines.join('\n')}\n`

function damageAll(home: BuiltHome): void {
  damage(home, 'torn', (lines) => text(lines).slice(0, -50))
  damage(home, 'header', (lines) => text(lines.with(0, lines[0]?.slice(0, 40) ?? '')))
  damage(home, 'welded', (lines) => text(lines.toSpliced(4, 2, `${lines[4]}${lines[5]}`)))
  damage(home, 'zeros', (lines) => text(lines.with(3, '\0'.repeat(100) + lines[3])))
  damage(home, 'chain', (lines) => text(lines.toSpliced(5, 1)))
  damage(home, 'half', (lines) => text(lines.map((line) => line.replace('question 2', 'question \\ud83d'))))
}

describe('holdfast repair', () => {
  it('shows what it would do, does it, and finds nothing more', async () => {
    using ground = new Ground()
    damageAll(homeIn(ground))
    const lines = ['repair --home .openclaw --dry-run --lines', 'repair --home .openclaw', 'repair --home .openclaw']
    await expect(await seen(ground, ...lines)).toMatchFileSnapshot(golden('transcripts'))
  })
  it('mends the one that is named, and says when there is none of that name', async () => {
    using ground = new Ground()
    damageAll(homeIn(ground))
    const lines = [
      `repair ${keyOf('torn')}`,
      `repair ${keyOf('nobody')}`,
      `repair ${keyOf('torn')} ${keyOf('welded')} --json --lines`,
    ]
    await expect(await seen(ground, ...lines)).toMatchFileSnapshot(golden('named'))
  })
  it('makes an index anew from what is left of it and from its copies', async () => {
    using ground = new Ground()
    const home = homeIn(ground)
    const index = `${home.sessionsDir('main')}/sessions.json`
    writeFileSync(`${index}.bak.1`, readFileSync(index))
    truncateSync(index, 400)
    const lines = ['repair --dry-run', 'repair', 'repair --json']
    await expect(await seen(ground, ...lines)).toMatchFileSnapshot(golden('index'))
    expect(JSON.parse(readFileSync(index, 'utf8'))).toEqual(JSON.parse(readFileSync(`${index}.bak.1`, 'utf8')))
  })
  it('explains itself', async () => {
    using ground = new Ground()
    await expect(await seen(ground, 'repair --help')).toMatchFileSnapshot(golden('help'))
  })
})
