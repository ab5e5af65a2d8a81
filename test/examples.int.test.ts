import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** Far more than any of the examples takes, on a busy machine too. */
const silenceMaxMs = 25_000

const root = fileURLToPath(new URL('..', import.meta.url))
let directory: string
let started: Program[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-examples-'))
  started = []
})
afterEach(async () => {
  for (const program of started) await program.end('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

/** A child process whose output can be waited for. */
class Program {
  readonly #child: ChildProcess
  #output = ''
  #wake = () => {}

  constructor(args: string[], env: Record<string, string> = {}) {
    this.#child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...env } })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
        this.#wake()
      })
    }
    this.#child.on('close', () => this.#wake())
    started.push(this)
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** Resolves with the match; rejects with all output when the program ends, or falls silent, without one. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#output)
      if (found !== null) return found
      if (this.#hasEnded()) throw new Error(`it ended without ${pattern}:\n${this.#output}`)
      await this.#news(pattern)
    }
  }

  #news(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const silent = () => reject(new Error(`nothing more came, and no ${pattern}:\n${this.#output}`))
      const timer = setTimeout(silent, silenceMaxMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  linesTo(name: string): string[] {
    return this.#output.split('\n').filter((line) => line.startsWith(`to ${name}:`))
  }

  /** Ends its input and gives its exit code. */
  async finish(): Promise<number | null> {
    this.#child.stdin?.end()
    if (!this.#hasEnded()) await new Promise((resolve) => this.#child.once('exit', resolve))
    return this.#child.exitCode
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#hasEnded()) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill(signal)
    await ended
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }
}

describe('examples/bot.ts', () => {
  const bot = () =>
    new Program(['--conditions=holdfast-source', 'examples/bot.ts'], { BOT_DATA: join(directory, 'bot') })

  it('keeps a conversation for each person and runs its tool', async () => {
    const running = bot()
    running.say('alice: hello')
    await running.shows(/to alice: You said "hello"\. I remember 0 messages/)
    running.say('bob: roll')
    await running.shows(/^to bob: You rolled [1-6]\.$/m)
    running.say('alice: again')
    await running.shows(/to alice: You said "again"\. I remember 1 messages/)
    expect(running.linesTo('bob')).toHaveLength(1)
    expect(await running.finish()).toBe(0)
  })

  it('answers after a kill what was asked before it', async () => {
    const killed = bot()
    killed.say('alice: hello')
    await killed.shows(/to alice: You said "hello"/)
    killed.say('alice: think')
    killed.say('bob: hello')
    await killed.shows(/to bob: You said "hello"/) // so the thinking is under way
    await killed.end('SIGKILL')
    const again = bot()
    await again.shows(/to alice: You said "think"\. I remember 1 messages/)
    expect(await again.finish()).toBe(0)
  })
})

describe('examples/openai-client.mjs', () => {
  it('talks to the gateway, streaming and not', async () => {
    const gateway = new Program(['bin/holdfast.mjs', 'serve', '--port', '0', '--data', join(directory, 'data')])
    const [, url] = await gateway.shows(/(http:\/\/127\.0\.0\.1:\d+)/)
    const client = new Program(['examples/openai-client.mjs'], { HOLDFAST_URL: `${url}/v1` })
    expect(await client.finish()).toBe(0)
    const [, first, second] = await client.shows(/^(.+)\n(.+)\n$/s)
    expect([first, second]).not.toContain('')
  })
})
