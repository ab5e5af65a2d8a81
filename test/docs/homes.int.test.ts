import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { holdfast } from '../cli/program.ts'
import { Bot } from '../openclaw/bot.ts'

const root = new URL('../../', import.meta.url)
const page = (name: string) => readFileSync(new URL(name, root), 'utf8')

let bot: Bot
beforeAll(() => {
  bot = new Bot({ leftovers: [{ kind: 'deleted', ageMs: 200 * 24 * 3_600_000 }] })
})
afterAll(() => bot[Symbol.dispose]())

/** Command lines on homes, without what a shell does with their output. */
function commandsOf(name: string): string[] {
  return [...page(name).matchAll(/```(?:sh|console)\n(.*?)```/gs)]
    .flatMap((match) => (match[1] as string).split('\n'))
    .map((line) => line.replace(/\s+#\s.*$/, '').replace(/^\$ npx /, ''))
    .filter((line) => /^(?:sudo )?holdfast /.test(line))
    .map((line) => line.replace(/^(?:sudo )?holdfast /, '').replace(/ > .*$/, ''))
}

/** It ends by itself, needs nothing that is not here, and changes nothing but the home of this test. */
function canBeRun(line: string): boolean {
  if (/^locks watch|--docker|DIR|--system\b|\b2026\d{4}T|^agent:/.test(line)) return false
  if (/^keep/.test(line)) return /--once|--status/.test(line)
  if (/^(?:install|uninstall|rescue|import|export)/.test(line)) return line.includes('--dry-run')
  return !/ agent:/.test(line)
}

const all = [...new Set(['docs/homes.md', 'README.md'].flatMap(commandsOf))]

describe('the commands on homes that the docs show', () => {
  it.each(all.filter(canBeRun))('%s', async (line) => {
    const scene = { cwd: bot.top, env: { HOME: bot.top } }
    const { code, stderr } = await holdfast(line.split(' '), scene)
    expect(stderr).not.toContain('command line is not valid')
    expect([0, 1]).toContain(code) // 1: something is found, or no keeper is there
  })

  it.each(all.filter((line) => !canBeRun(line)))('%s: is a command with these flags', async (line) => {
    const words = line.split(' ')
    const end = words.findIndex((word) => !/^[a-z]+$/.test(word))
    const named = end === -1 ? words : words.slice(0, end)
    const { code, stdout } = await holdfast([...named, '--help'], { cwd: bot.top })
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: holdfast ${named.join(' ')} `)
    for (const flag of words.filter((word) => word.startsWith('--'))) expect(stdout).toContain(`${flag} `)
  })
})

it('the library in docs/homes.md does what it shows', async () => {
  const [, example = ''] = /```ts\n(.*?)```/s.exec(page('docs/homes.md')) ?? []
  mkdirSync(join(bot.top, 'node_modules'))
  symlinkSync(fileURLToPath(root), join(bot.top, 'node_modules/holdfast'))
  using other = new Bot({ leftovers: [{ kind: 'deleted', ageMs: 200 * 24 * 3_600_000 }] })
  symlinkSync(other.top, join(bot.top, 'bot'))
  const file = join(bot.top, 'example.mts')
  writeFileSync(file, example)
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=holdfast-source', file], {
    cwd: bot.top,
  })
  expect(stdout).toContain(`archive-leftover ${other.built.leftovers[0]} `)
  expect(existsSync(other.built.leftovers[0] as string)).toBe(true)
})
