import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Scratch } from '../../../test/sqlite/scratch.ts'
import { HoldfastError, recordOf } from '../../model/errors.ts'
import { parseSessionKey, type SessionKey } from '../../model/keys.ts'
import { unpackBody } from '../../relational/rows/bodies.ts'
import { purgeAll } from '../../testing/contract/retention/moves.ts'
import { openLanes, penOf, type Scene } from '../../testing/contract/scene.ts'
import { openForReading } from '../database/connection.ts'

/** Letters that hardly become smaller, so that what is compressed of them is theirs alone. */
const noise = (bytes: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64url')

/** A word of the doomed session, at each place where words can be. */
const mark = (place: string) => `MARK${place}MARK`
const places = ['key', 'title', 'said', 'reply', 'note', 'error', 'reason', 'progress', 'old']

const doomed = parseSessionKey(`agent:main:${mark('key')}`)

/** Everything that a session can hold, each with its mark. */
async function fill(scene: Scene, key: SessionKey, word: (place: string) => string): Promise<void> {
  const { store, nowMs: atMs } = scene
  const request = {
    instructions: [{ role: 'system' as const, content: `${word('kind')} ${noise(3_000)} ${word('kind')}` }],
    params: { user: `${noise(2_000)} ${word('params')}` },
    streaming: false,
    deliverTo: [`to:${word('said')}`],
  }
  const claim = await scene.begin(key, word('said'), { request })
  await store.recordProgress({ key, fence: claim.fence, note: word('progress'), atMs })
  const pen = await scene.append(penOf(claim), word('reply'), `${word('large')} ${noise(60_000)} ${word('large')}`)
  await store.settleTurn(scene.settling(pen, `${word('reply')} ${'z'.repeat(900)}`))
  const delivery = await store.claimDelivery({ atMs })
  const id = delivery?.id as number
  await store.settleDelivery({ id, status: 'failed', error: word('error'), nextAttemptAtMs: 0 })
  const { turn } = await scene.admit(key, word('said'))
  await store.cancelTurn({ turnId: turn.id, reason: word('reason'), atMs })
  const outcome = { ...recordOf(new HoldfastError('MODEL_TIMEOUT')), message: word('error') }
  await scene.settle(await scene.begin(key, word('said')), null, { status: 'failed', outcome })
  const { transcript, head, summary: base } = await scene.context(key)
  const next = {
    key,
    transcript,
    baseId: base?.id ?? null,
    uptoSeq: head,
    kind: 'model' as const,
    text: word('note'),
    tokens: 1,
  }
  await store.commitSummary({ ...next, atMs })
  await store.patchSession({ key, title: word('title'), atMs })
}

/** Pieces of the compressed bodies in which a mark stands. */
function packedMarks(database: string): Buffer[] {
  const db = openForReading(database)
  const blobs = db.all<{ body: Uint8Array }>('SELECT body FROM blob')
  db.close()
  const marks = ['large', 'params', 'kind'].map(mark)
  const marked = blobs.filter(({ body }) => marks.some((each) => unpackBody(body).includes(each)))
  return marked.flatMap(({ body }) => [100, body.length >> 1, body.length - 50].map((at) => piece(body, at)))
}

const piece = (body: Uint8Array, at: number) => Buffer.from(body.subarray(at, at + 24))

/** Which marks stand in the closed files, and in which. */
function marksLeft(database: string, packed: readonly Buffer[]): string[] {
  const files = ['', '-wal', '-shm'].map((ending) => database + ending).filter(existsSync)
  return files.flatMap((file) => {
    const bytes = readFileSync(file)
    const found = places.filter((place) => bytes.includes(mark(place)))
    return [...found, ...packed.filter((each) => bytes.includes(each)).map(() => 'packed')]
  })
}

it('leaves no byte of a session that was deleted for good, nor of its key', async () => {
  await using scratch = new Scratch()
  const scene = await scratch.scene()
  const others = Array.from({ length: 12 }, (_, index) => parseSessionKey(`other-${index}`))
  for (let round = 0; round < 3; round += 1) {
    for (const key of others) {
      await fill(scene, key, (place) => `${place} ${'w'.repeat(round * 300)}`)
      if (others.indexOf(key) % 4 === round) await fill(scene, doomed, mark)
    }
    await scene.store.resetSession({ key: doomed, reason: mark('old'), atMs: scene.nowMs })
  }
  // the others go first, so that pages are joined and rows move: what stays of them in the middle of pages is what scrub is for
  for (let count = 0; count < 400; count += 1) {
    const key = count % 5 === 0 ? doomed : (others[count % 12] as SessionKey)
    const word = key === doomed ? mark : (place: string) => place
    await scene.say(key, word('said'), `${word('reply')} ${count}`)
  }
  for (const key of others.slice(0, 6)) await scene.store.deleteSession({ key, atMs: scene.nowMs })
  await purgeAll(scene.store)
  expect(await scene.tryClaim({ rules: openLanes })).toBeNull()

  const packed = packedMarks(scratch.database)
  expect(packed.length).toBe(81)
  await scene.store.deleteSession({ key: doomed, atMs: scene.nowMs })
  await purgeAll(scene.store, 50)
  await scene.store.scrub()
  expect((await scene.store.verify({ quick: false, atMs: 1 })).ok).toBe(true)
  await scene.store.close()
  expect(marksLeft(scratch.database, packed)).toEqual([])

  const again = await scratch.scene()
  await again.say(doomed, 'hello', 'hi')
  expect((await again.session(doomed)).transcript).toBe(5)
})

it('keeps the words of others where they are', async () => {
  await using scratch = new Scratch()
  const scene = await scratch.scene()
  await fill(scene, doomed, mark)
  const packed = packedMarks(scratch.database)
  await scene.store.scrub()
  await scene.store.close()
  const inRows = ['key', 'title', 'said', 'reply', 'note', 'error', 'reason']
  expect(marksLeft(scratch.database, packed)).toEqual([...inRows, ...packed.map(() => 'packed')])
})
