import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const runFile = promisify(execFile)
const root = new URL('../../', import.meta.url)
const program = fileURLToPath(new URL('bin/holdfast.mjs', root))
const page = (name: string) => readFileSync(new URL(name, root), 'utf8')

let directory: string
let gateway: ChildProcess
let address: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-docs-'))
  gateway = spawn(process.execPath, [program, 'serve', '--port', '0'], { cwd: directory, stdio: ['ignore', 'pipe', 2] })
  for await (const line of createInterface({ input: gateway.stdout as NodeJS.ReadableStream })) {
    const found = /(http:\/\/127\.0\.0\.1:\d+)/.exec(line)
    if (found === null) continue
    address = found[1] as string
    return
  }
  throw new Error('the gateway ended before it was ready')
})

afterAll(async () => {
  const ended = once(gateway, 'exit')
  gateway.kill('SIGTERM')
  await ended
  rmSync(directory, { recursive: true, force: true })
})

/** The commands in `sh` blocks that talk to a running gateway, continued lines joined, comments dropped. */
function commandsOf(name: string): string[] {
  return [...page(name).matchAll(/```sh\n(.*?)```/gs)]
    .flatMap((match) => (match[1] as string).replaceAll(/\\\n\s*/g, '').split('\n'))
    .map((line) => line.replace(/\s+#\s.*$/, ''))
    .filter((line) => /^(curl|npx holdfast) /.test(line))
    .filter((line) => !/^npx holdfast serve|TURN_ID/.test(line))
}

/** As a reader types it, in the directory where the gateway was started. */
function run(command: string): Promise<{ code: number | null; output: string }> {
  const line = command
    .replace(/^npx holdfast/, `"${process.execPath}" "${program}"`)
    .replaceAll('http://127.0.0.1:4747', address)
    .replace(/^curl /, 'curl --fail-with-body ')
  return new Promise((resolve) => {
    const child = execFile('bash', ['-c', line], { cwd: directory }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : ((error.code as number | undefined) ?? null), output: stdout + stderr })
    })
    child.stdin?.end('Hello\n')
  })
}

describe.each(['README.md', 'docs/http-api.md', 'docs/data.md', 'docs/operations.md', 'docs/configuration.md'])(
  'the commands in %s',
  (name) => {
    it.each(commandsOf(name))('%s', async (command) => {
      expect(await run(command)).toMatchObject({ code: 0 })
    })
  },
)

it('the library in README.md does what it shows', async () => {
  const [, example = ''] = /```ts\n(.*?)```/s.exec(page('README.md')) ?? []
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(fileURLToPath(root), join(directory, 'node_modules/holdfast'))
  const file = join(directory, 'example.mts')
  writeFileSync(file, `${example}\nconsole.log(JSON.stringify(reply.map((entry) => entry.body)))`)
  const { stdout } = await runFile(process.execPath, ['--conditions=holdfast-source', file], { cwd: directory })
  expect(JSON.parse(stdout)).toEqual([{ role: 'assistant', content: 'Hello, I see 1 messages.' }])
})

describe('what the pages say of the gateway', () => {
  it('names metrics that are there while nothing happens', async () => {
    const metrics = await (await fetch(`${address}/metrics`)).text()
    const named = page('docs/operations.md').matchAll(/\b(holdfast_[a-z_]+)\b/g)
    const absent = [...named].map((match) => match[1] as string).filter((name) => !metrics.includes(name))
    expect(absent).toEqual([])
  })

  it('names routes that are there', async () => {
    const { paths } = (await (await fetch(`${address}/openapi.json`)).json()) as { paths: Record<string, object> }
    const named = page('docs/http-api.md').matchAll(/`(?:GET|POST|PATCH|DELETE) (\/[^\s`]+)`/g)
    const absent = [...named].map((match) => match[1] as string).filter((path) => !(path in paths))
    expect(absent).toEqual([])
  })
})
