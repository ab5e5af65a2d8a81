import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock as clock } from '../../../src/host/clock.ts'
import { beginRun } from '../../../src/openclaw/changes/begin.ts'
import { listRuns } from '../../../src/openclaw/changes/journal/folder.ts'
import { undoRun } from '../../../src/openclaw/changes/undo/undo.ts'
import { homeIn, judgeFile, noteOf } from '../scratch.ts'

/** One of everything that a run does, or all of it taken back, or what a killed one left settled; to be killed on the way. */
const [dir = '', act = ''] = process.argv.slice(2)
const home = homeIn(dir)
const sessions = join(dir, 'agents/main/sessions')
const at = (name: string) => join(sessions, name)

if (act === 'undo') {
  for (const run of await listRuns(dir))
    await undoRun(home, run, {
      clock,
      gatewayNow: async () => ({ state: 'stopped', proof: 'this test' }),
      dryRun: false,
      only: null,
    })
} else {
  await using run = beginRun(home, 'clean', { clock })
  await run.hold()
  if (act === 'change') {
    const index = judgeFile(at('sessions.json'))
    const two = { key: 'two', before: '{"n":2}', after: null }
    await run.replace(index, Buffer.from('{"one":{"n":1}}'), noteOf('drop-entry'), [two])
    const names = ['a.jsonl', 'b.jsonl', 'c.jsonl']
    const takings = names
      .filter((name) => existsSync(at(name)))
      .map((name) => ({ judged: judgeFile(at(name)), note: noteOf() }))
    for await (const _ of run.archiveMany(takings));
    await run.archive(judgeFile(at('d.jsonl.deleted.x')), noteOf('archive-leftover'))
    await run.replace(judgeFile(at('broken.jsonl')), Buffer.from('whole\n'), noteOf('repair-transcript'))
    await run.create(at('sessions.json.bak.1'), Buffer.from('{}'), noteOf('rotate-index'))
    await run.setMode(judgeFile(at('open.txt')), 0o600, noteOf('tighten-mode'))
  }
}
