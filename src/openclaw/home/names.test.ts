import { describe, expect, it } from 'vitest'
import { fileKinds, kindOfName } from './names.ts'

const id = '3fa77d80-cd8b-4a96-b967-097714b1e759'
const other = '68998807-2fe8-4249-8cfb-ec5d6b2bbbb9'
const atMs = Date.UTC(2026, 4, 1, 10, 11, 12, 345)
const atSecondMs = Date.UTC(2026, 4, 1, 10, 11, 12)
const sha = 'a'.repeat(64)

/** Name, kind, session, time. */
const table: [string, string, string | null, number | null][] = [
  ['sessions.json', 'index', null, null],
  ['sessions.json.lock', 'index-lock', null, null],
  [`sessions.json.${id}.tmp`, 'index-temporary', null, null],
  [`sessions.json.4711.${id}.tmp`, 'index-temporary', null, null],
  [`.sessions.json.4711.${id}.tmp`, 'index-temporary', null, null],
  [`.sessions.json.${id}.fallback.tmp`, 'index-temporary', null, null],
  ['sessions.json.bak.1777630272345', 'index-backup', null, 1777630272345],
  ['sessions.json.bak', 'index-backup', null, null],
  ['sessions.json.corrupt-1777630272345', 'corrupt', null, 1777630272345],
  ['sessions.json.corrupt-by-hand', 'corrupt', null, null],
  ['sessions.json.telegram-messages.json', 'index-side', null, null],
  ['sessions.json.telegram-sent-messages.json', 'index-side', null, null],
  ['sessions.json.telegram-topic-names.json', 'index-side', null, null],
  ['.usage-cost-cache.json', 'index-side', null, null],
  ['.usage-cost-cache.json.lock', 'index-side', null, null],
  ['sessions.json.migrated', 'migration', null, null],

  [`${id}.jsonl`, 'transcript', id, null],
  [`${id}-topic-7.jsonl`, 'transcript', id, null],
  [`${id}-topic-1712345678.000100.jsonl`, 'transcript', id, null],
  [`${id}-topic-caf%C3%A9%20-topic-%2F.jsonl`, 'transcript', id, null],
  [`2026-05-01T10-11-12-345Z_${id}.jsonl`, 'transcript', id, atMs],
  [`2026-05-01T10-11-12-345Z_${id}-topic-7.jsonl`, 'transcript', id, atMs],
  ['work.notes_1-2.jsonl', 'transcript', 'work.notes_1-2', null],
  ['two words.jsonl', 'transcript', null, null],
  [`${'x'.repeat(129)}.jsonl`, 'transcript', null, null],
  ['..jsonl', 'transcript', null, null],
  [`${id}.checkpoint.not-a-uuid.jsonl`, 'transcript', `${id}.checkpoint.not-a-uuid`, null],
  [`${id}.jsonl.deleted.sometime.jsonl`, 'transcript', `${id}.jsonl.deleted.sometime`, null],

  [`${id}.jsonl.lock`, 'lock', id, null],
  [`${id}-topic-7.jsonl.lock`, 'lock', id, null],
  [`2026-05-01T10-11-12-345Z_${id}.jsonl.lock`, 'lock', id, null],

  [`${id}.jsonl.deleted.2026-05-01T10-11-12.345Z`, 'deleted', id, atMs],
  [`${id}.jsonl.deleted.2026-05-01T10-11-12Z`, 'deleted', id, atSecondMs],
  [`${id}-topic-7.jsonl.deleted.2026-05-01T10-11-12.345Z`, 'deleted', id, atMs],
  [`${id}.jsonl.deleted.2026-05-01T10-11-12.345Z.${'0f'.repeat(16)}.zst`, 'deleted', id, atMs],
  [`${id}.jsonl.deleted.2026-05-01T10-11-12.345Z.zst`, 'deleted', id, atMs],
  [`${id}.trajectory.jsonl.deleted.2026-05-01T10-11-12.345Z`, 'deleted', id, atMs],
  [`2026-05-01T10-11-12-345Z_${id}.jsonl.deleted.2026-05-01T10-11-12.345Z`, 'deleted', id, atMs],
  [`${id}.jsonl.reset.2026-05-01T10-11-12.345Z`, 'reset', id, atMs],
  [`${id}-topic-7.jsonl.reset.2026-05-01T10-11-12.345Z.zst`, 'reset', id, atMs],
  [`${id}.jsonl.bak.2026-05-01T10-11-12.345Z`, 'backup', id, atMs],
  [`${id}.jsonl.bak-4711-1777630272345`, 'backup', id, 1777630272345],
  [`${id}.jsonl.bak`, 'backup', id, null],
  [`${id}.jsonl.pre-doctor-branch-repair-2026-05-01T10-11-12-345Z.bak`, 'backup', id, atMs],
  [`${id}.jsonl.pre-doctor-openai-codex-repair-2026-05-01T10-11-12-345Z.bak`, 'backup', id, atMs],
  [`${id}.jsonl.corrupt-2026-05-01T10-11-12-345Z-0a1b2c3d.jsonl`, 'corrupt', id, atMs],

  [`${id}.checkpoint.${other}.jsonl`, 'checkpoint', id, null],
  [`${id}.checkpoint.${other.toUpperCase()}.jsonl`, 'checkpoint', id, null],
  [`${id}-topic-7.checkpoint.${other}.jsonl`, 'checkpoint', id, null],
  [`${id}.trajectory.jsonl`, 'trajectory', id, null],
  [`${id}-topic-7.trajectory.jsonl`, 'trajectory', id, null],
  [`${id}.trajectory-path.json`, 'trajectory-pointer', id, null],
  [`${id}.acp-stream.jsonl`, 'stream', id, null],

  ['skills-prompts', 'prompt', null, null],
  [`${sha}.txt`, 'prompt', null, null],
  [`${sha}.txt.${id}.tmp`, 'temporary', null, null],

  ['session-sqlite-import-archive', 'migration', null, null],
  ['cold', 'migration', null, null],
  [`${sha}.jsonl.zst`, 'migration', null, null],
  [`${id}.jsonl.migrated`, 'migration', null, null],
  [`${id}.jsonl.migrated.2`, 'migration', null, null],

  [`${id}.jsonl.${other}.tmp`, 'temporary', null, null],
  [`${id}.jsonl.deleted.2026-05-01T10-11-12.345Z.zst.${other}.tmp`, 'temporary', null, null],
  [`.fs-safe-4711-${id}.tmp`, 'temporary', null, null],
  [`.telegram-topic-name-cache.4711.${id}.tmp`, 'temporary', null, null],

  [`${id}.jsonl.deleted.yesterday`, 'unknown', null, null],
  [`${id}.jsonl.deleted.`, 'unknown', null, null],
  [`${id}.jsonl.deleted.2026-05-01T10:11:12.345Z`, 'unknown', null, null],
  [`${id}.JSONL`, 'unknown', null, null],
  ['SESSIONS.JSON', 'unknown', null, null],
  ['sessions.json~', 'unknown', null, null],
  ['sessionsxjson', 'unknown', null, null],
  ['.jsonl', 'unknown', null, null],
  ['.jsonl.lock', 'unknown', null, null],
  ['notes.txt', 'unknown', null, null],
  ['', 'unknown', null, null],
  ['.', 'unknown', null, null],
  ['__proto__', 'unknown', null, null],
]

describe('a name in a sessions directory', () => {
  it.each(table)('%s is of the kind %s', (name, kind, sessionId, at) => {
    expect(kindOfName(name)).toEqual({ kind, sessionId, atMs: at })
  })

  it('of every kind stands in the table', () => {
    expect(new Set(table.map(([, kind]) => kind))).toEqual(new Set(fileKinds))
  })

  it('with a day that no calendar has is an archive without a time', () => {
    const impossible = `${id}.jsonl.deleted.2026-99-99T99-99-99.345Z`
    expect(kindOfName(impossible)).toEqual({ kind: 'deleted', sessionId: id, atMs: null })
  })

  it('belongs to the index that the configuration names', () => {
    expect(kindOfName('main.json', 'main.json').kind).toBe('index')
    expect(kindOfName('main.json.bak.17', 'main.json')).toMatchObject({ kind: 'index-backup', atMs: 17 })
    expect(kindOfName('sessions.json', 'main.json').kind).toBe('unknown')
    expect(kindOfName('mainxjson', 'main.json').kind).toBe('unknown')
  })

  it('may hold any character, line ends included', () => {
    expect(kindOfName('a\nb.jsonl')).toEqual({ kind: 'transcript', sessionId: null, atMs: null })
    expect(kindOfName(`${'('.repeat(5_000)}.jsonl`).kind).toBe('transcript')
  })
})
