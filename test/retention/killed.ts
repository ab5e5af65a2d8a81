import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parseSessionKey, type SessionKey } from '../../src/model/keys.ts'
import {
  archivedIn,
  expectInOrder,
  expectSettled,
  exportsOf,
  fill,
  newDirectory,
  openOn,
  sweep,
  talkIn,
} from './stage.ts'

export type Act = 'sweep' | 'undo' | 'rotate' | 'expire' | 'forget'

const program = new URL('programs/killed.ts', import.meta.url).pathname

/** The steps that it took; null when it was killed before the end. */
async function run(directory: string, act: Act, at: number): Promise<number | null> {
  const child = spawn(process.execPath, [program, directory, act, String(at)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  const [code, signal] = await once(child, 'close')
  if (signal === 'SIGKILL') return null
  expect(code, `${act} killed at ${at}`).toBe(0)
  return Number(text)
}

const forgotten = parseSessionKey('cron:job:run:1')

export interface Killing {
  /** How many steps the act has when nobody kills it. */
  steps: number
  /** Kills it before one of them; then a new process finds everything, finishes it, and undoes it to the byte. */
  killAt(at: number): Promise<void>
}

/** A store on which the act is to be carried out, copied for each kill. */
export async function prepare(act: Act): Promise<Killing> {
  const source = await newDirectory()
  let keys: SessionKey[] = []
  await fill(source, async (scene) => {
    keys = await talkIn(scene, { 'telegram:direct:1': 100, 'cron:job:run:1': 4, 'cron:job:run:2': 3, main: 0.1 })
  })
  const before = await (async () => {
    const engine = await openOn(source)
    const found = await exportsOf(engine.store, keys)
    if (act !== 'sweep' && act !== 'expire') await sweep(engine)
    await engine.close()
    return found
  })()
  const copy = async () => {
    const directory = join(await newDirectory(), 'data')
    await cp(source, directory, { recursive: true })
    return directory
  }
  const steps = await run(await copy(), act, 0)
  if (steps === null) throw new Error('nobody should have killed it')

  return {
    steps,
    async killAt(at) {
      const directory = await copy()
      const finished = await run(directory, act, at)
      expect(finished, `${act} is killed at ${at}`).toBeNull()
      const told = `${act} killed at ${at} of ${steps}`
      const engine = await openOn(directory)
      const mayBeGone = (name: string) =>
        act === 'expire' ? name.includes(':cron:') : act === 'forget' && name.startsWith(forgotten)
      const here = await exportsOf(engine.store, keys)
      const archived = await archivedIn(directory)
      for (const [name, text] of before) {
        if (mayBeGone(name)) continue
        expect(here.get(name) ?? archived.get(name), `${name} is somewhere, ${told}`).toBe(text)
      }
      await finish(engine, act)
      await expectSettled(directory, engine.store)
      const [hereNow, archivedNow] = [await exportsOf(engine.store, keys), await archivedIn(directory)]
      for (const [name, text] of before) {
        const places = [hereNow.get(name), archivedNow.get(name)].filter((found) => found !== undefined)
        const isForgotten = act === 'forget' && name.startsWith(forgotten)
        if (mayBeGone(name) && !isForgotten) expect(places.length, `${name}, ${told}`).toBeLessThanOrEqual(1)
        else expect(places, `${name} is in one place, ${told}`).toEqual(isForgotten ? [] : [text])
      }
      for (const name of new Set([...archivedNow.keys()].map((each) => each.split(' ')[0]))) {
        const { items } = await engine.store.listArchived({ limit: 9, key: name as SessionKey })
        for (const { id } of items) await engine.retention.restore(id)
      }
      for (const [name, text] of await exportsOf(engine.store, keys))
        expect(text, `${name}, ${told}`).toBe(before.get(name))
      await expectInOrder(engine.store)
      await engine.close()
    },
  }
}

async function finish(engine: Awaited<ReturnType<typeof openOn>>, act: Act): Promise<void> {
  if (act !== 'forget') {
    await sweep(engine)
    return
  }
  try {
    await engine.retention.deleteForever(forgotten)
  } catch (error) {
    expect(error).toMatchObject({ code: 'SESSION_NOT_FOUND' }) // it was done but for the answer
  }
}
