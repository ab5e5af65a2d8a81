import { basename, dirname } from 'node:path'
import { sha256 } from '../../host/random.ts'
import { nameBeside } from '../files/create.ts'
import { readChunks } from '../files/lines.ts'
import { openAt } from '../files/open.ts'
import { openDirectory } from '../files/place.ts'
import type { EntryChange } from '../index/edit.ts'
import { type Desk, leftOf, recordOf, reportOf, shelfOf, subjectOf } from './desk.ts'
import type { Left, Outcome, StepNote } from './run.ts'
import { refusalOf, rootOf } from './territory.ts'

/** What a gateway is to do with its index. */
export interface HandedOver {
  /** Absolute. */
  path: string
  /** What it would hold if nothing else changed. */
  expected: Buffer
  entries: readonly EntryChange[]
  /** Asks the gateway. False: it changed nothing. */
  act: () => Promise<boolean>
}

/**
 * An index is changed by the gateway that has it in its memory, and not by us. What it held is in the archive before the gateway is asked, with the entries
 * that go, so that undoing puts those back like after a change of ours, whatever the gateway has written since.
 */
export async function handOver(
  desk: Desk,
  { path, expected, entries, act }: HandedOver,
  note: StepNote,
): Promise<Outcome> {
  const refusal = refusalOf(desk.home, path)
  if (refusal !== null) return { done: false, left: 'unsafe', because: refusal }
  try {
    const name = basename(path)
    using directory = openDirectory(rootOf(desk.home, path), dirname(path))
    using file = directory === null ? null : openAt(rootOf(desk.home, path), directory, name)
    if (directory === null || file === null) return missing
    const bundle = await desk.bundleFor(shelfOf(note))
    const copy = await bundle.add(readChunks(file))
    const changes = await bundle.add([Buffer.from(JSON.stringify(entries))])
    await bundle.verify([copy, changes])
    const line = {
      type: 'replace' as const,
      ...subjectOf(desk, path, note),
      was: recordOf(file),
      copy,
      entries: changes,
      will: { bytes: expected.length, sha256: sha256(expected) },
      fresh: nameBeside(name, 'new'),
    }
    await desk.journal.append(line)
    const outcome: Outcome = (await act()) ? { done: true, bytes: 0 } : notAsked
    using now = openAt(rootOf(desk.home, path), directory, name)
    await desk.journal.report(reportOf(desk, line.step, outcome, outcome.done && now !== null ? recordOf(now) : null))
    return outcome
  } catch (error) {
    return leftOf(error)
  }
}

const missing: Left = { done: false, left: 'missing', because: 'it is not there any more' }
const notAsked: Left = { done: false, left: 'changed', because: 'the gateway did not change it' }
