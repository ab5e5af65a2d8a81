import { describe, expect, it } from 'vitest'
import { commandOf, programOf } from './program.ts'

const what = (...argv: string[]) => programOf({ argv, kernel: false })

describe('a command line', () => {
  it.each([
    ['the title of 2026.7 and later', ['openclaw-gateway']],
    ['its own program', ['openclaw', 'gateway']],
    ['a path to it', ['/usr/local/bin/openclaw', 'gateway', '--port', '18789']],
    ['the link that npm makes', ['node', '/usr/bin/openclaw', 'gateway', 'run']],
    ['its entry', ['/usr/bin/node', '--max-old-space-size=4096', '/opt/openclaw/openclaw.mjs', 'gateway']],
    ['options before the word', ['node', '/opt/openclaw/openclaw.mjs', '--profile', 'work', '--dev', 'gateway']],
    [
      'the service that it installs',
      ['/usr/bin/node', '/usr/lib/node_modules/openclaw/dist/index.js', 'gateway', '--port', '1'],
    ],
    ['a checkout', ['node', 'scripts/run-node.mjs', 'gateway']],
    ['its older name', ['clawdbot-gateway']],
    [
      'Windows',
      ['C:\\Program Files\\nodejs\\node.exe', 'C:\\Users\\B\\npm\\node_modules\\openclaw\\dist\\index.js', 'gateway'],
    ],
    ['a container', ['node', 'dist/index.js', 'gateway', '--bind', 'lan']],
  ])('is a gateway: %s', (_, argv) => expect(what(...argv)).toBe('gateway'))

  it.each([
    ['the title to 2026.6', ['openclaw']],
    ['a command', ['node', '/usr/bin/openclaw', 'sessions', 'list']],
    ['a question to a gateway', ['openclaw', 'gateway', 'status']],
    ['a call', ['node', '/opt/openclaw/openclaw.mjs', 'gateway', 'call', 'health', '--json']],
    ['a command with a title', ['openclaw-agent']],
    ['a message about it', ['openclaw', 'agent', '--message', 'start the gateway']],
    ['the word where it is no command', ['openclaw', 'sessions', 'gateway']],
  ])('is OpenClaw and perhaps no gateway: %s', (_, argv) => expect(what(...argv)).toBe('openclaw'))

  it.each([
    ['nothing', []],
    [
      'Holdfast, told where the command is',
      ['node', '/opt/bin/holdfast.mjs', 'rescue', '--openclaw', '/usr/bin/openclaw'],
    ],
    ['another server', ['node', 'dist/index.js']],
    ['an editor', ['vim', '/root/.openclaw/openclaw.json']],
    ['what starts it', ['sudo', '-u', 'bot', 'openclaw', 'gateway']],
    ['a shell', ['sh', '-c', 'exec openclaw gateway']],
    ['a gateway of something else', ['node', 'api-gateway.js', 'gateway']],
    ['this program', ['node', '/usr/bin/holdfast', 'locks', '--home', '/root/.openclaw']],
  ])('is something else: %s', (_, argv) => expect(what(...argv)).toBe('other'))
})

it('is told among people without credentials, and not at any length', () => {
  const argv = ['openclaw', 'gateway', '--token', 'abc', '--auth-password=def', '--port', '1']
  expect(commandOf({ argv, name: '' })).toBe('openclaw gateway --token … --auth-password=… --port 1')
  expect(commandOf({ argv, name: '' }, 12)).toBe('openclaw ga…')
  expect(commandOf({ argv: [], name: 'kworker' })).toBe('kworker')
})
