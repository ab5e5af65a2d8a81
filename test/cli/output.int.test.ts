import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { transcriptOf } from './golden.ts'
import { normalise } from './normalise.ts'
import { slowModel } from './processes.ts'
import { holdfast, type Scene, type Started, start } from './program.ts'

const golden = (scenario: string) => new URL(`golden/${scenario}.txt`, import.meta.url).pathname
let cwd: string

beforeAll(async () => {
  cwd = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-cli-')))
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

/** Compares what the commands print with the golden file of the scenario; `vitest -u` writes it anew. */
async function expectGolden(scenario: string, lines: readonly string[], scene: Scene): Promise<void> {
  const text = normalise(await transcriptOf(lines, scene), { folder: scene.cwd })
  await expect(text).toMatchFileSnapshot(golden(scenario))
}

describe('a newcomer', () => {
  it('finds the way by the help', () =>
    expectGolden(
      'help',
      ['--help', 'sessions --help', 'sessions tail --help', 'serve --help', 'leases --help', 'leases release --help'],
      { cwd },
    ))

  it('finds out what a restart does', () =>
    expectGolden('recovery-help', ['recover --help', 'quarantine --help', 'quarantine release --help', 'recover'], {
      cwd,
    }))

  it('is told what to do where nothing is yet', () =>
    expectGolden('nothing-yet', ['status', 'sessions list', 'chat --message Hello', 'verify', 'config check'], { cwd }))

  it('is told what is wrong with a command line', () =>
    expectGolden(
      'usage',
      [
        'sesions list',
        'sessions',
        'sessions list --limit 0',
        'migrate --sql --partitions 1025',
        'sessions list --kind tree',
        'sessions show',
        'sessions show ../../etc/passwd',
        'chat --gateway not-an-address --message Hello',
        'chat --message ""',
        'sessions list --colour --json',
        'serve --port soon',
        'serve --model NAME',
      ],
      { cwd },
    ))
})

describe('with a running gateway', () => {
  let gateway: Started

  beforeAll(async () => {
    gateway = start(['serve', '--port', '0', '--log-level', 'error'], { cwd, stdin: '' })
    await gateway.says('Ctrl-C stops it')
  })
  afterAll(async () => {
    gateway.signal('SIGTERM')
    expect(await gateway.ended).toMatchObject({ code: 0 })
  })

  it('the start says where it is and how to try it', async () => {
    await expect(normalise(gateway.stdout(), { folder: cwd })).toMatchFileSnapshot(golden('serve'))
  })

  it('before the first message', () =>
    expectGolden(
      'no-sessions',
      ['sessions list', 'turns list', 'leases', 'lanes', 'sessions show alice', 'why alice'],
      { cwd },
    ))

  it('a conversation is held, listed, read, searched, exported, reset and archived', () =>
    expectGolden(
      'conversation',
      [
        'chat --session alice --message "Remember the blue bicycle"',
        'chat --session alice --message "What did I say?"',
        'sessions list',
        'sessions list --busy',
        'sessions show alice',
        'sessions tail alice -n 1',
        'sessions search blue bicycle',
        'sessions search nothing-like-it',
        'sessions export alice',
        'sessions export alice --format markdown',
        'sessions export alice --out alice.jsonl',
        'sessions export alice --out alice.jsonl',
        'turns list',
        'why alice',
        'leases',
        'leases list',
        'leases release alice',
        'leases release nobody',
        'config reload',
        'compact alice',
        'summaries list alice',
        'summaries undo alice 7',
        'sessions reset alice',
        'sessions show alice',
        'sessions show alice --transcript 1 --limit 1',
        'sessions show alice --transcript 3',
        'sessions archive alice',
        'sessions list',
        'sessions list --archived',
        'turns cancel 00000000-0000-7000-8000-000000000000',
        'backup copy',
        'backup copy',
        'verify --quick',
        'status',
      ],
      { cwd },
    ))

  it('retention is shown, done, listed, and nothing is deleted for good by the way', () =>
    expectGolden(
      'retention',
      [
        'retain --help',
        'retain',
        'retain --apply',
        'retain --apply',
        'retain --list',
        'retain --undo nothing-like-it',
        'retain --apply --list',
        'trash list',
        'trash restore 42',
        'trash empty',
        'sessions search --archived bicycle',
        'sessions pin alice',
        'sessions pin alice --off',
        'sessions delete alice',
        'sessions delete --forever nobody',
      ],
      { cwd },
    ))

  it('the same as JSON', async () => {
    for (const line of [
      'sessions list --archived',
      'sessions show alice',
      'turns list',
      'leases',
      'leases release alice',
      'lanes',
      'config reload',
      'why alice',
      'status',
    ]) {
      const { code, stdout } = await holdfast([...line.split(' '), '--json'], { cwd })
      expect({ line, code }).toEqual({ line, code: 0 })
      expect(JSON.parse(stdout)).toBeTypeOf('object')
    }
  })

  it('a message can come from a pipe', async () => {
    const { stdout, code } = await holdfast(['chat', '--session', 'pipe'], { cwd, stdin: 'from a pipe\n' })
    expect(code).toBe(0)
    expect(stdout).toContain('from a pipe')
  })

  it('escape sequences in what people wrote reach files and pipes, and no terminal', async () => {
    const words = 'before \u001b]0;owned\u0007 after'
    await holdfast(['chat', '--session', 'escape', '--message', words], { cwd })
    const piped = await holdfast(['sessions', 'show', 'escape'], { cwd })
    const shown = await holdfast(['sessions', 'show', 'escape'], { cwd, terminalCells: 80 })
    const listed = await holdfast(['sessions', 'search', 'owned'], { cwd })
    expect(piped.stdout).toContain(words)
    expect(shown.stdout).toContain('before ␛]0;owned␇ after')
    expect(shown.stdout + listed.stdout).not.toContain('\u001b')
  })

  it('following a session shows what comes, through a reset, until Ctrl-C', async () => {
    await holdfast(['chat', '--session', 'tail', '--message', 'first'], { cwd })
    const tail = start(['sessions', 'tail', '-f', 'tail'], { cwd, stdin: '' })
    await tail.says('first')
    await holdfast(['chat', '--session', 'tail', '--message', 'second'], { cwd })
    await tail.says('second')
    await holdfast(['sessions', 'reset', 'tail'], { cwd })
    await holdfast(['chat', '--session', 'tail', '--message', 'third'], { cwd })
    await tail.says('third')
    tail.signal('SIGINT')
    expect(await tail.ended).toMatchObject({ code: 0, stderr: expect.stringContaining('transcript 2 begins') })
  })

  it('a person talks, starts anew and leaves', async () => {
    const chat = start(['chat', '--session', 'talk'], { cwd, terminalCells: 80 })
    chat.stdin.write('good morning\r')
    await chat.says('good morning\r\n')
    await expect.poll(() => chat.stdout().split('good morning').length).toBeGreaterThan(2)
    chat.stdin.write('/reset\r')
    await expect.poll(() => chat.stderr()).toContain('starts anew')
    chat.stdin.write('/exit\r')
    expect(await chat.ended).toMatchObject({ code: 0 })
  })
})

describe('while the model thinks', () => {
  let gateway: Started
  let model: Awaited<ReturnType<typeof slowModel>>

  beforeAll(async () => {
    model = await slowModel(60_000)
    const argv = ['--data', 'slow', '--model-url', model.url, '--model', 'slow', '--log-level', 'error']
    gateway = start(['serve', '--port', '0', ...argv], { cwd, stdin: '' })
    await gateway.says('Ctrl-C stops it')
  })
  afterAll(async () => {
    gateway.signal('SIGTERM')
    expect(await gateway.ended).toMatchObject({ code: 0 })
    model.server.closeAllConnections()
    model.server.close()
  })

  it('a person is told what is waited for; the first Ctrl-C stops the answer, the next leaves', async () => {
    const scene = { cwd, terminalCells: 80, hurry: 30 }
    const first = start(['chat', '--data', 'slow'], scene)
    first.stdin.write('think hard\r')
    await expect.poll(first.stderr).toContain('(waiting: asks the model)')
    const second = start(['chat', '--data', 'slow', '--message', 'me too'], scene)
    await expect.poll(second.stderr).toContain('(waiting: its session answers another turn first)')
    const why = await holdfast(['why', 'main', '--data', 'slow'], { cwd })
    await expect(normalise(why.stdout)).toMatchFileSnapshot(golden('why-busy'))
    const leases = await holdfast(['leases', '--data', 'slow'], { cwd })
    expect(leases.stdout).toMatch(/^SESSION .*\nagent:main:main .* process \d+ on /)
    const lanes = await holdfast(['lanes', '--data', 'slow'], { cwd })
    await expect(normalise(lanes.stdout)).toMatchFileSnapshot(golden('lanes-busy'))
    second.signal('SIGINT')
    expect(await second.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('The turn was cancelled') })
    first.signal('SIGINT')
    await expect.poll(first.stderr).toContain('Stopped.')
    first.signal('SIGINT')
    expect(await first.ended).toMatchObject({ code: 0 })
  })
})

describe('after the gateway has ended', () => {
  it('the store is read and changed without it', () =>
    expectGolden(
      'without-gateway',
      [
        'status',
        'recover --plan',
        'quarantine list',
        'sessions list --archived',
        'sessions show alice --transcript 1 --limit 1',
        'why alice',
        'lanes',
        'leases release alice',
        'config reload',
        'sessions reset alice',
        'verify',
        'chat --message Hello',
      ],
      { cwd },
    ))
})
