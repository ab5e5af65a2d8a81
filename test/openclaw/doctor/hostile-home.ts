import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { people } from '../crowd.ts'
import type { BuiltHome } from '../plans.ts'
import type { Ground } from '../unpack.ts'
import { dayMs, homeIn, nobody } from './scenes.ts'

/** Stands in everything that people said; never in what a doctor says. */
export const secret = 'SECRET-WORDS'

/** Of nobody on this machine. Only root can give files to others, so these homes are made as root. */
const other = 12_345

export interface HostileHome {
  home: BuiltHome
  /** What the home's links lead to. Nothing in it may be opened. */
  outside: string
}

/** A home in which somebody has put everything that could lead a reader astray. `longBytes`: of one line in it. */
export function hostileHome(ground: Ground, longBytes: number): HostileHome {
  const sessions = people(12, { days: 4 })
  const [first, second, ...more] = sessions
  const home = homeIn(ground, {
    agents: [
      {
        id: 'main',
        sessions: [...more, { ...first, transcript: false }, { ...second, transcript: false }] as typeof more,
      },
      { id: 'deep', sessions: [], index: '{"agent:deep:main":'.concat('['.repeat(200_000), ']'.repeat(200_000), '}') },
      { id: 'torn', index: `{"agent:torn:main":{"sessionId":"a","label":"${secret}` },
      { id: 'strange', index: strangeIndex() },
      { id: 'piped', index: null },
    ],
  })
  const outside = join(ground.root, 'outside')
  mkdirSync(outside)
  chownSync(outside, other, other) // what is its owner's own may be kept elsewhere
  writeFileSync(join(outside, 'transcript.jsonl'), `${secret}\n`)
  writeFileSync(join(outside, 'sessions.json'), `{"agent:main:main":{"sessionId":"x","label":"${secret}"}}`)
  const main = home.sessionsDir('main')
  symlinkSync(join(outside, 'transcript.jsonl'), home.session(first?.key ?? '').path)
  mkdirSync(home.session(second?.key ?? '').path)
  execFileSync('mkfifo', [
    join(main, 'pipe.jsonl'),
    join(main, 'pipe.jsonl.lock'),
    join(home.sessionsDir('piped'), 'sessions.json'),
  ])
  symlinkSync(outside, join(home.dir, 'agents', 'elsewhere'))
  mkdirSync(join(home.dir, 'agents', 'linked'))
  symlinkSync(outside, join(home.dir, 'agents', 'linked', 'sessions'))
  symlinkSync(outside, join(home.dir, 'discord'))
  symlinkSync(outside, join(home.dir, 'holdfast'))
  symlinkSync(join(main, 'sessions.json'), join(main, 'sessions.json.lock'))
  writeFileSync(Buffer.from(`${main}/\xff\xfe.jsonl`, 'latin1'), 'x')
  const named = join(main, 'new\nline \u001b]0;owned\u0007.jsonl')
  writeFileSync(named, `${secret}\n`)
  utimesSync(named, 1, 1)
  spoil(
    home,
    longBytes,
    more.map(({ key }) => home.session(key).path),
  )
  return { home, outside }
}

/** Keys and ids that lead out of a directory, out of an object, or on to a terminal. */
function strangeIndex(): string {
  const entry = { updatedAt: Date.UTC(2026, 10, 25), label: secret, displayName: secret }
  return JSON.stringify({
    'agent:strange:up': { sessionId: '../../../outside/transcript', ...entry },
    'agent:strange:absolute': { sessionId: 'a', sessionFile: '/etc/passwd', ...entry },
    'agent:strange:above': { sessionId: 'b', sessionFile: '../../main/sessions/x.jsonl', ...entry },
    'agent:strange:nul': { sessionId: 'c\u0000d', ...entry },
    'agent:strange:\u001b]0;owned\u0007': { sessionId: 'e', ...entry },
    __proto__x: { sessionId: 'f', ...entry },
    'agent:strange:text': secret,
    'agent:strange:list': [secret],
  }).replace('__proto__x', '__proto__')
}

function spoil(home: BuiltHome, longBytes: number, paths: string[]): void {
  const [torn, holed, deep, long, welded, foreign, closed, garbage, empty] = paths as [string, ...string[]] & string[]
  appendFileSync(torn, `{"type":"message","id":"ffff0001","message":{"content":"${secret}`)
  appendFileSync(holed as string, Buffer.alloc(5_000))
  appendFileSync(
    deep as string,
    `{"type":"custom","id":"ffff0002","parentId":null,"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n`,
  )
  appendFileSync(
    welded as string,
    `{"type":"custom","id":"a","parentId":null}{"type":"custom","id":"b","data":"${secret}"}\n`,
  )
  appendFileSync(garbage as string, `\xff\xfe ${secret} \ud800\n`)
  writeFileSync(empty as string, '')
  sparseLine(long as string, longBytes)
  chownSync(foreign as string, other, other)
  chmodSync(closed as string, 0)
  writeFileSync(
    `${torn}.lock`,
    JSON.stringify({ pid: nobody, createdAt: new Date(home.nowMs - dayMs).toISOString(), maxHoldMs: 1e300 }),
  )
  writeFileSync(`${welded}.lock`, `${secret} is no lock`)
  utimesSync(`${welded}.lock`, 1, 1)
}

/** One line of so many bytes that takes no room. */
function sparseLine(path: string, bytes: number): void {
  const fd = openSync(path, 'a')
  writeSync(fd, '{"type":"message","id":"ffff0003","data":"')
  ftruncateSync(fd, bytes)
  closeSync(fd)
}
