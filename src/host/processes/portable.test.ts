import { describe, expect, it } from 'vitest'
import { type Ask, parseBoottime, parsePowershell, parsePs, parseTasklist, readPortableProcesses } from './portable.ts'

describe('ps of macOS', () => {
  const text = [
    '    1     0     0 Ss   Fri Nov 20 00:40:12 2026      12:34.56 /sbin/launchd',
    '  501     1   501 S    Thu Nov  6 09:05:01 2026 1-02:03:04    openclaw-gateway',
    ' 4242   501    -2 R+   Thu Nov 26 02:22:19 2026       0:00.01 /opt/homebrew/bin/node /Applications/My Tool/a.js --x=1',
    'ps: some complaint',
    '',
  ].join('\n')

  it('tells who runs, since when, and what was used', () => {
    expect(parsePs(text)).toMatchObject([
      {
        pid: 1,
        ids: [1],
        parent: 0,
        uid: 0,
        state: 'S',
        startedAtMs: Date.UTC(2026, 10, 20, 0, 40, 12),
        cpuMs: 754_560,
      },
      { pid: 501, argv: ['openclaw-gateway'], startedAtMs: Date.UTC(2026, 10, 6, 9, 5, 1), cpuMs: 93_784_000 },
      { pid: 4242, uid: -2, name: 'node', argv: ['/opt/homebrew/bin/node', '/Applications/My', 'Tool/a.js', '--x=1'] },
    ])
    expect(parsePs(text).every(({ startTicks }) => startTicks === null)).toBe(true)
  })
  it('and sysctl tells the boot', () => {
    expect(parseBoottime('{ sec = 1795659128, usec = 0 } Thu Nov 26 02:12:08 2026')).toBe(1_795_659_128_000)
    expect(parseBoottime('')).toBeNull()
  })
})

describe('Windows', () => {
  it('tells who runs by PowerShell', () => {
    const processes = [
      { pid: 4, parent: 0, started: null, cpu: 15.6, name: 'System', command: null },
      {
        pid: 22_144,
        parent: 4,
        started: '2026-11-26T02:22:19.2320000Z',
        cpu: 120,
        name: 'node.exe',
        command: '"C:\\Program Files\\nodejs\\node.exe" "C:\\Users\\b\\openclaw.mjs" gateway',
      },
    ]
    const text = `\uFEFF${JSON.stringify({ boot: '2026-11-20T00:00:00.0000000Z', processes })}\r\n`
    expect(parsePowershell(text)).toMatchObject({
      bootedAtMs: Date.UTC(2026, 10, 20),
      processes: [
        { pid: 4, argv: ['System'], startedAtMs: null },
        {
          pid: 22_144,
          argv: ['C:\\Program Files\\nodejs\\node.exe', 'C:\\Users\\b\\openclaw.mjs', 'gateway'],
          name: 'node.exe',
          startedAtMs: Date.UTC(2026, 10, 26, 2, 22, 19, 232),
        },
      ],
    })
  })
  it.each(['', 'Get-CimInstance: access denied', '{"boot":null}'])('is asked in another way after %j', (text) =>
    expect(parsePowershell(text)).toBeNull(),
  )
  it('has no start times in its task list', () => {
    expect(
      parseTasklist('"node.exe","4321","Console","1","52,000 K"\r\n"System Idle Process","0","","0","8 K"\r\n'),
    ).toMatchObject([{ pid: 4321, name: 'node.exe', startedAtMs: null }, { pid: 0 }])
  })
  it('is asked for its task list where PowerShell fails', async () => {
    const ask: Ask = async (program) =>
      program === 'tasklist.exe' ? '"node.exe","4321","Console","1","5 K"\r\n' : null
    const table = await readPortableProcesses('win32', ask)
    expect(table).toMatchObject({ processes: [{ pid: 4321 }], own: { unseen: null } })
  })
})

it('says that nothing can be told where no tool answers', async () => {
  const table = await readPortableProcesses('darwin', async () => null)
  expect(table).toMatchObject({ processes: [], own: { unseen: { whose: 'outside' } } })
})
