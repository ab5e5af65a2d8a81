import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../../host/commands.ts'
import { askHealth } from './health.ts'

/** A command that prints this and ends with that. */
const command = (stdout: string, code = 0, stderr = '') => ({
  words: [
    process.execPath,
    '-e',
    `process.stdout.write(${JSON.stringify(stdout)});process.stderr.write(${JSON.stringify(stderr)});process.exitCode=${code}`,
  ],
  env: {},
  cwd: tmpdir(),
})

describe('the health of a gateway', () => {
  it.each([
    ['is good when it says so', '{"ok":true,"channels":{}}', 0, '', { state: 'good' }],
    ['is good behind a warning', '(node:1) warning\n{"ok":true}', 0, '', { state: 'good' }],
    ['is good behind a remark in brackets', '[openclaw] a remark\n{"ok":true}', 0, '', { state: 'good' }],
    [
      'is not good while it starts',
      '{"ok":true,"status":"starting"}',
      0,
      '',
      { state: 'bad', because: 'it is starting' },
    ],
    [
      'is bad with its first line of reason',
      '{"ok":false,"error":{"kind":"closed","message":"gateway closed (1006)\\nmore"}}',
      1,
      '',
      { state: 'bad', because: 'gateway closed (1006)' },
    ],
    ['is bad by what it prints on stderr', '', 1, 'no credentials\n', { state: 'bad', because: 'no credentials' }],
    ['is bad when it says nothing', '', 3, '', { state: 'bad', because: '`openclaw health` ended with 3' }],
    [
      'is bad when only its exit code is good',
      'hello',
      0,
      '',
      { state: 'bad', because: '`openclaw health` ended with 0' },
    ],
  ] as const)('%s', async (_, stdout, code, stderr, expected) => {
    expect(await askHealth(command(stdout, code, stderr), runCommand)).toEqual(expected)
  })
  it('is not asked where there is no command', async () => {
    expect(await askHealth(null, runCommand)).toMatchObject({ state: 'unasked' })
    const missing = { words: ['/nowhere/openclaw'], env: {}, cwd: tmpdir() }
    expect(await askHealth(missing, runCommand)).toMatchObject({ state: 'unasked' })
  })
})
