import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { forgetCompiled, holdfastProcess, killStarted, node, serveProcess } from './cli/processes.ts'

/** What `npm publish` would send, unpacked where `npm install` puts it, beside the dependencies that package.json declares. */

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
let project: string
let installed: string

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'holdfast-package-'))
  installed = join(project, 'node_modules/holdfast')
  await mkdir(installed, { recursive: true })
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: root })
  const { filename } = onlyPackage(stdout)
  await run('tar', ['-xzf', join(project, filename), '-C', installed, '--strip-components=1'])
  await linkDependencies(join(project, 'node_modules'))
  await writeFile(join(project, 'package.json'), '{ "type": "module", "private": true }')
})
afterEach(killStarted)
afterAll(async () => {
  forgetCompiled()
  await rm(project, { recursive: true, force: true })
})

it('holds the program, its declarations and its documents, and nothing to build or test it with', async () => {
  const files = await filesIn(installed)
  const kinds = new Set(files.map((file) => `${file.split('/')[0]} ${/(\.d)?\.\w+$/.exec(file)?.[0]}`))
  expect([...kinds].filter((kind) => /^(bin|dist) /.test(kind)).sort()).toEqual(['bin .mjs', 'dist .d.ts', 'dist .js'])
  expect(files.filter((file) => /\.test\.|\.map$|^(src|test|bench)\//.test(file))).toEqual([])
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'ARCHITECTURE.md']))
})

it('links to no page that it leaves out', async () => {
  const files = await filesIn(installed)
  for (const page of files.filter((file) => file.endsWith('.md'))) {
    const text = await readFile(join(installed, page), 'utf8')
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => join(dirname(page), link ?? ''))
    expect(
      links.filter((link) => !files.includes(link)),
      page,
    ).toEqual([])
  }
})

it('serves, answers, backs up, and stops', async () => {
  const scene = { cwd: project, program: join(installed, 'bin/holdfast.mjs') }
  const gateway = await serveProcess([], scene)
  const chat = await holdfastProcess(['chat', '--message', 'Hello'], scene)
  expect(chat).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('You said: Hello') })
  expect(await holdfastProcess(['backup', 'copy'], scene)).toMatchObject({ code: 0, stderr: '' })
  gateway.child.kill('SIGTERM')
  expect(await gateway.ended).toMatchObject({ code: 0 })
  const verified = await holdfastProcess(['verify', '--data', 'copy'], scene)
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('1 session, 2 entries') })
})

const bot = `import { type HoldfastOptions, openHoldfast, type Runner, sqliteStore } from 'holdfast'
import { type Owner, readOwner } from 'holdfast/sqlite'
import { ManualClock, plainStore, type StoreGround, type TestFrame } from 'holdfast/testing'

const run: Runner = async (turn) => \`I see \${turn.context.length} messages\`
const options: HoldfastOptions = { store: sqliteStore('./bot'), run }
const bot = await openHoldfast(options)
const { turn } = await bot.submit({ key: 'alice', messages: 'Hello' })
const { reply } = await bot.settled(turn.id)
const owner: Owner | null = readOwner('./bot')
console.log(JSON.stringify(reply[0]?.body), owner?.pid === process.pid, typeof ManualClock, typeof plainStore)
await bot.close()
export type Ground = [StoreGround, TestFrame]
`

it.each([
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
])('has types for module %s with resolution %s, and runs as a library', async (module, moduleResolution) => {
  await writeFile(join(project, 'bot.ts'), bot)
  const compilerOptions = {
    ...{ module, moduleResolution, target: 'es2024', lib: ['es2024', 'esnext.disposable'], strict: true },
    ...{ exactOptionalPropertyTypes: true, types: ['node'], typeRoots: [join(modules, '@types')] },
  }
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['bot.ts'] }))
  await run(node, [join(modules, 'typescript/bin/tsc'), '--project', project])
  const { stdout, stderr } = await run(node, ['bot.js'], { cwd: project })
  expect({ stdout, stderr }).toEqual({
    stdout: '{"role":"assistant","content":"I see 1 messages"} true function function\n',
    stderr: '',
  })
  await rm(join(project, 'bot'), { recursive: true })
})

/** npm 11 gives a list, npm 12 an object by name; what `prepack` prints may stand before it. */
function onlyPackage(printed: string): { filename: string } {
  const packed: Record<string, { filename: string }> = JSON.parse(printed.slice(printed.search(/^[[{]/m)))
  return Object.values(packed)[0] as { filename: string }
}

/** An import that only a development dependency could satisfy must fail. */
async function linkDependencies(into: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'))
  const needed = Object.entries<{ dev?: true }>(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true)
  for (const [path] of needed) {
    const name = path.slice('node_modules/'.length)
    if (name.includes('node_modules/')) continue // it lies inside one that is linked
    await mkdir(dirname(join(into, name)), { recursive: true })
    await symlink(join(modules, name), join(into, name))
  }
}

async function filesIn(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true })
  return found
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name).slice(directory.length + 1))
}
