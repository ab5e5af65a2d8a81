import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  checkCycles,
  checkDirections,
  checkDoors,
  checkNames,
  checkOutside,
  checkReExports,
  checkSizes,
} from './tidy/rules.ts'
import { importsOf, mask, type SourceFile } from './tidy/scan.ts'

/** A room imports only rooms with a lower number: the floors of ARCHITECTURE.md. */
const level = {
  model: 0,
  host: 1,
  store: 1,
  lanes: 2,
  compaction: 2,
  copy: 2,
  recovery: 2,
  retention: 2,
  cron: 2,
  archive: 3,
  openclaw: 3,
  relational: 3,
  sqlite: 4,
  postgres: 4,
  engine: 5,
  testing: 5,
  provider: 6,
  config: 6,
  http: 6,
  cli: 7,
}

/** Who may read the clock, the environment, the disk and chance. */
const outside = ['host/', 'archive/', 'openclaw/files/', 'openclaw/database/', 'sqlite/', 'postgres/', 'cli/main.ts']

/** Over this a file holds a second idea. */
const linesMax = 300

/** Files that were longer than `linesMax` when measured, with their lines; they may only shrink. */
const tooLong: Record<string, number> = {}

const root = new URL('../', import.meta.url)

function pathsUnder(folder: string): string[] {
  const url = new URL(`${folder}/`, root)
  if (!existsSync(url)) return []
  return readdirSync(url, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.replaceAll('\\', '/').replaceAll('//', '/'))
    .map((path) => path.slice(decodeURIComponent(root.pathname).length))
    .sort()
}

const sources: SourceFile[] = pathsUnder('src')
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path: path.slice('src/'.length), text: readFileSync(new URL(path, root), 'utf8') }))
const packageExports = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).exports

const file = (path: string, text: string): SourceFile => ({ path, text })
const lines = (count: number) => 'x\n'.repeat(count)

describe('the tree', () => {
  it('has imports that point to lower rooms only', () => expect(checkDirections(sources, level)).toEqual([]))
  it('has no cycles', () => expect(checkCycles(sources)).toEqual([]))
  it('touches the outside only in host and the adapters', () => expect(checkOutside(sources, outside)).toEqual([]))
  it('has names that say something, and no index.ts in a folder', () => {
    const paths = ['src', 'test', 'bench', 'examples', 'bin'].flatMap(pathsUnder)
    expect(checkNames(paths)).toEqual([])
  })
  it('has no file with a second idea', () => expect(checkSizes(sources, linesMax, tooLong)).toEqual([]))
  it('has a door for each entry of exports', () => expect(checkDoors(sources, packageExports)).toEqual([]))
  it('re-exports in doors only', () => expect(checkReExports(sources)).toEqual([]))
})

describe('directions', () => {
  const floors = { model: 0, lanes: 2, sqlite: 2, testing: 2, engine: 3, cli: 4 }
  const check = (path: string, text: string) => checkDirections([file(path, text)], floors)

  it.each([
    ['a lower room', 'engine/run.ts', "import { key } from '../model/keys.ts'"],
    ['its own room', 'engine/run.ts', "import { plan } from './plan.ts'"],
    ['a package', 'engine/run.ts', "import { z } from 'zod'"],
    ['testing, from a test', 'sqlite/open.int.test.ts', "import { contract } from '../testing/contract.ts'"],
    ['a file outside src, from a test', 'cli/run.int.test.ts', "import { home } from '../../test/home.ts'"],
  ])('allow %s', (_, path, text) => expect(check(path, text)).toEqual([]))

  it.each([
    ['a higher room', 'model/keys.ts', "import { run } from '../engine/run.ts'"],
    ['a room beside', 'sqlite/open.ts', "import { plan } from '../lanes/plan.ts'"],
    ['a type', 'sqlite/open.ts', "import type { Plan } from '../lanes/plan.ts'"],
    ['a type in place', 'sqlite/open.ts', "type Plan = import('../lanes/plan.ts').Plan"],
    ['a re-export', 'sqlite/open.ts', "export { plan } from '../lanes/plan.ts'"],
    ['a dynamic import', 'sqlite/open.ts', "await import('../lanes/plan.ts')"],
    ['a worker', 'sqlite/open.ts', "new Worker(new URL('../lanes/worker.ts', import.meta.url))"],
    ['an import over several lines', 'sqlite/open.ts', "import {\n  a,\n  type B,\n} from '../lanes/plan.ts'"],
    ['a door', 'engine/run.ts', "import { open } from '../sqlite.ts'"],
    ['a door by name', 'engine/run.ts', "import { open } from 'holdfast/sqlite'"],
    ['a file outside src', 'engine/run.ts', "import { home } from '../../test/home.ts'"],
    ['testing, from the program', 'sqlite/open.ts', "import { contract } from '../testing/contract.ts'"],
    ['a room without a level', 'engine/run.ts', "import { a } from '../attic/a.ts'"],
  ])('refuse %s', (_, path, text) => expect(check(path, text)).toHaveLength(1))

  it('refuse a file in a room without a level', () => expect(check('attic/a.ts', '')).toHaveLength(1))
  it('name the file, the line and the fix', () => {
    expect(check('model/keys.ts', "\nimport '../engine/run.ts'")).toEqual([
      'model/keys.ts:2: model/ (0) imports engine/run.ts (3), which is not below it; ' +
        'move what both need to a lower room, or pass it in as an argument.',
    ])
  })
})

describe('cycles', () => {
  const a = file('model/a.ts', "import type { B } from './b.ts'")

  it('are found through types', () => {
    expect(
      checkCycles([a, file('model/b.ts', "export { c } from './c.ts'"), file('model/c.ts', "import './a.ts'")]),
    ).toEqual([expect.stringContaining('model/a.ts → model/b.ts → model/c.ts → model/a.ts')])
  })
  it('are not seen where two files import a third', () => {
    expect(checkCycles([a, file('model/c.ts', "import './b.ts'"), file('model/b.ts', '')])).toEqual([])
  })
})

describe('the outside', () => {
  const check = (path: string, text: string) => checkOutside([file(path, text)], outside)

  it.each([
    "import { readFileSync } from 'node:fs'",
    "import { open } from 'node:fs/promises'",
    "import { env } from 'node:process'",
    'const nowMs = Date.now()',
    'const now = Date.now',
    'const now = new Date()',
    'const now = new Date',
    'const token = process.env.TOKEN',
    'const chance = Math.random()',
    'const startMs = performance.now()',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text.
    'const text = `at ${Date.now()}`',
  ])('is refused in a pure room: %s', (text) => expect(check('lanes/plan.ts', text)).toHaveLength(1))

  it.each([
    ['lanes/plan.ts', 'const at = new Date(nowMs) // never Date.now()'],
    ['lanes/plan.ts', "const fix = 'Set process.env.TOKEN'"],
    ['lanes/plan.test.ts', 'const nowMs = Date.now()'],
    ['host/clock.ts', 'const nowMs = Date.now()'],
    ['cli/main.ts', 'const token = process.env.TOKEN'],
  ])('is allowed in %s: %s', (path, text) => expect(check(path, text)).toEqual([]))

  it('is refused in the cli beside main', () => expect(check('cli/doctor.ts', 'process.env')).toHaveLength(1))
})

describe('names', () => {
  it.each([
    'src/engine/utils.ts',
    'src/common/a.ts',
    'test/lane-helpers.ts',
    'src/engine/session.manager.ts',
    'src/engine/index.ts',
  ])('refuse %s', (path) => expect(checkNames([path])).toHaveLength(1))
  it.each(['src/index.ts', 'src/engine/dispatch.ts'])('allow %s', (path) => expect(checkNames([path])).toEqual([]))
})

describe('sizes', () => {
  it('allow the last line and refuse the next', () => {
    expect(checkSizes([file('a/a.ts', lines(300))], 300, {})).toEqual([])
    expect(checkSizes([file('a/a.ts', lines(301))], 300, {})).toHaveLength(1)
  })
  it('let a file on the ratchet shrink and not grow', () => {
    expect(checkSizes([file('a/a.ts', lines(310))], 300, { 'a/a.ts': 310 })).toEqual([])
    expect(checkSizes([file('a/a.ts', lines(311))], 300, { 'a/a.ts': 310 })).toHaveLength(1)
    expect(checkSizes([file('a/a.ts', lines(305))], 300, { 'a/a.ts': 310 })).toEqual([expect.stringContaining('305')])
    expect(checkSizes([file('a/a.ts', lines(300))], 300, { 'a/a.ts': 310 })).toEqual([
      expect.stringContaining('take it off'),
    ])
  })
})

describe('doors', () => {
  const entry = { 'holdfast-source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' }
  const door = file(
    'index.ts',
    "/** The library. */\nexport { a } from './model/a.ts'\nexport type { B } from './model/b.ts'\n",
  )

  it('hold re-exports', () => expect(checkDoors([door], { '.': entry })).toEqual([]))
  it('hold nothing else', () => {
    expect(checkDoors([file('index.ts', `${door.text}export const c = 1`)], { '.': entry })).toHaveLength(1)
  })
  it('are missed', () => {
    expect(checkDoors([], { '.': entry })).toHaveLength(1)
  })
  it('have an entry', () => expect(checkDoors([door], {})).toHaveLength(1))
  it('are where the entry says', () => {
    expect(checkDoors([door], { '.': { ...entry, types: './dist/main.d.ts' } })).toHaveLength(1)
  })
  it('are the only files that re-export', () => {
    expect(checkReExports([door])).toEqual([])
    expect(checkReExports([file('model/a.ts', "export * from './b.ts'")])).toHaveLength(1)
    expect(checkReExports([file('model/a.ts', "export type * as b from './b.ts'")])).toHaveLength(1)
    expect(checkReExports([file('model/a.ts', 'export { b }\nexport const from = 1')])).toEqual([])
  })
})

describe('the scanner', () => {
  it('does not read comments, strings and templates as code', () => {
    const text = [
      "// import './a.ts'",
      "/* import './b.ts' */",
      `const text = "import './c.ts'"`,
      "const more = `import './d.ts'`",
      "const quote = /['\"`]/ // import './e.ts'",
      "import './f.ts'",
    ].join('\n')
    expect(importsOf(text)).toEqual([{ kind: 'import', specifier: './f.ts', line: 6 }])
  })
  it('reads code inside a template and goes on after it', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text.
    const text = "const a = `x ${ { b: `y ${c}` }.b } import './no.ts'`\nimport './yes.ts'"
    expect(importsOf(text).map(({ specifier }) => specifier)).toEqual(['./yes.ts'])
    expect(mask(text).code).toContain('c')
  })
  it('takes a division for a division', () => {
    expect(importsOf("const half = total / 2\nimport './a.ts'\nconst third = total / 3").length).toBe(1)
  })
})
