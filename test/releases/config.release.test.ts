import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../../src/host/commands.ts'
import { isHoldfastError } from '../../src/model/errors.ts'
import { readConfig } from '../../src/openclaw/home/config.ts'
import { node } from '../cli/processes.ts'
import { Ground } from '../openclaw/unpack.ts'
import { programOf } from './gateway.ts'

const versions = ['2026.5.18', '2026.7.1', '2026.9.6'] as const

interface Case {
  name: string
  files: Record<string, string>
  env?: Record<string, string>
  /** The gateway refuses a value that we read, and refuse as a rule. */
  value?: true
}

/** `@` stands for `$`, which a template would take. */
const written = (text: string) => text.replaceAll('@', '$')
const rules = (text: string) => `{ session: { maintenance: { ${text} } } }`
const chain = (files: number) =>
  Object.fromEntries(
    Array.from({ length: files }, (_, at) => [
      `${at}.json`,
      at === files - 1 ? rules('maxEntries: 7') : `{ @include: './${at + 1}.json' }`,
    ]),
  )

const cases: Case[] = [
  {
    name: 'comments and trailing commas',
    files: { 'openclaw.json': `// x\n${rules("pruneAfter: '3d', maxEntries: 5,")}` },
  },
  {
    name: 'includes over each other',
    files: {
      'openclaw.json': `{ @include: ['./a.json5', 'sub/b.json5'], session: { maintenance: { maxEntries: 9 } } }`,
      'a.json5': rules("pruneAfter: '1d', mode: 'warn', maxEntries: 1"),
      'sub/b.json5': `{ session: { @include: './c.json5' } }`,
      'sub/c.json5': `{ maintenance: { mode: 'enforce', resetArchiveRetention: false } }`,
    },
  },
  { name: 'ten files deep', files: { 'openclaw.json': `{ @include: '0.json' }`, ...chain(10) } },
  { name: 'eleven files deep', files: { 'openclaw.json': `{ @include: '0.json' }`, ...chain(11) } },
  {
    name: 'a circle',
    files: { 'openclaw.json': `{ @include: 'a' }`, a: `{ @include: 'b' }`, b: `{ @include: 'a' }` },
  },
  { name: 'an include that is not there', files: { 'openclaw.json': `{ @include: 'a' }` } },
  {
    name: 'an include outside',
    files: { 'openclaw.json': `{ @include: '../outside.json' }`, '../outside.json': '{}' },
  },
  {
    name: 'an include through a link outside',
    files: { 'openclaw.json': `{ @include: 'out' }`, '../outside.json': '{}' },
  },
  {
    name: 'an include through a link inside',
    files: { 'openclaw.json': `{ @include: 'in' }`, 'in-file': rules('maxEntries: 3') },
  },
  {
    name: 'an include with two names',
    files: { 'openclaw.json': `{ @include: 'twice' }`, twice: rules('maxEntries: 3') },
  },
  {
    name: 'a list with keys beside',
    files: { 'openclaw.json': `{ session: { @include: 'l', store: '/x' } }`, l: '[]' },
  },
  { name: 'a configuration that is a link', files: { '../real.json': rules('maxEntries: 4') } },
  {
    name: 'variables from the environment, .env, and the file',
    files: {
      'openclaw.json': `{ session: { store: '/x/@{A}/@{B}/@{C}/@@{D}/@{lower}/{agentId}', maintenance: { pruneAfter: '@{E}' } },
        env: { vars: { A: 'file', B: 'file', C: 'file', E: '8d' } } }`,
      '.env': 'A=dotenv\nB="dot env"\n',
    },
    env: { A: 'process', C: '' },
  },
  {
    name: 'a variable in a rule that is not set',
    value: true,
    files: { 'openclaw.json': rules("pruneAfter: '@{NOT_SET}'") },
  },
  { name: 'a rule that is no duration', value: true, files: { 'openclaw.json': rules("pruneAfter: 'soon'") } },
  {
    name: 'composite durations',
    files: { 'openclaw.json': rules("pruneAfter: '1d12h', resetArchiveRetention: '90m'") },
  },
  { name: 'no JSON', files: { 'openclaw.json': '{ session: ' } },
  { name: 'a list', files: { 'openclaw.json': '[]' } },
]

function write(dir: string, { name, files }: Case): void {
  mkdirSync(dir, { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), written(text))
  }
  if (name.includes('outside')) symlinkSync('../outside.json', join(dir, 'out'))
  if (name.includes('link inside')) symlinkSync('in-file', join(dir, 'in'))
  if (name.includes('two names')) linkSync(join(dir, 'twice'), join(dir, 'again'))
  if (name.includes('that is a link')) symlinkSync('../real.json', join(dir, 'openclaw.json'))
}

describe.each(versions)('what %s reads', (version) => {
  it.each(cases)('of $name is what we read', async (each) => {
    using ground = new Ground()
    const dir = join(ground.root, '.openclaw')
    write(dir, each)
    const env = { PATH: process.env.PATH, HOME: ground.root, OPENCLAW_STATE_DIR: dir, NO_COLOR: '1', ...each.env }
    const args = [programOf(version), 'config', 'get', 'session', '--json']
    const told = await runCommand(node, args, { timeLimitMs: 60_000, outputBytesMax: 1_000_000, env, cwd: ground.root })
    const theirs = told.code === 0 ? partsOf(JSON.parse(told.stdout)) : 'refused'
    expect(theirs).toEqual(each.value === true ? 'refused' : await ours(dir, env))
  })
})

const partsOf = ({ store = null, maintenance = {} }) => ({ store, maintenance })

async function ours(dir: string, env: Record<string, string | undefined>): Promise<unknown> {
  try {
    const { store, rules: found } = await readConfig(dir, null, { env, userDir: dirname(dir) })
    return { store, maintenance: { ...found.maintenance } }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    return 'refused'
  }
}
