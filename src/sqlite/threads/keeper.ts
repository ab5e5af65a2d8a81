import type { MessagePort } from 'node:worker_threads'
import { recordOf } from '../../model/errors.ts'
import { searchEntries } from '../../relational/reads/search.ts'
import { type Answer, type Call, closing, type Report } from '../../relational/threads/calls.ts'
import type { SearchQuery } from '../../store/sessions.ts'
import { patiently } from '../database/busy.ts'
import { type Connection, openForReading, openForWriting } from '../database/connection.ts'
import { failureOf } from '../database/failures.ts'
import { perform } from '../database/perform.ts'
import { backup } from '../keep/backup.ts'
import { Checkpoints } from '../keep/checkpoint.ts'
import { giveBack, scrub } from '../keep/space.ts'
import { verify } from '../keep/verify.ts'
import type { ThreadData } from './calls.ts'

const keepVerbs = {
  searchEntries: (db: Connection, query: SearchQuery) => perform(db, searchEntries(query)),
  verify,
  backup,
  giveBack,
  scrub,
}
type KeepVerb = (db: Connection, input: unknown) => unknown

/** Ten looks a second keep the log at a few megabytes under full load. */
const tickEveryMs = 100

/** Long jobs, one at a time: none of them may delay a write or a short read. */
export class Keeper {
  readonly #port: MessagePort
  readonly #db: Connection
  readonly #ticking: NodeJS.Timeout | null

  constructor(port: MessagePort, data: ThreadData) {
    this.#port = port
    const open = data.readOnly ? openForReading : (path: string) => openForWriting(path, data.durability)
    this.#db = patiently(() => open(data.path))
    const checkpoints = new Checkpoints(this.#db, data.path, new Int32Array(data.log))
    this.#ticking = data.readOnly ? null : setInterval(() => checkpoints.tick(), tickEveryMs)
  }

  receive(message: Call[] | typeof closing): void {
    if (message === closing) {
      if (this.#ticking !== null) clearInterval(this.#ticking)
      this.#db.close()
      this.#port.close()
      return
    }
    for (const call of message) this.#report([this.#answer(call)])
  }

  #answer({ id, verb, input }: Call): Answer {
    const act = keepVerbs[verb as keyof typeof keepVerbs] as KeepVerb
    try {
      return { id, ok: true, value: patiently(() => act(this.#db, input)) }
    } catch (error) {
      if (this.#db.database.isTransaction) this.#db.run('ROLLBACK')
      return { id, ok: false, error: recordOf(failureOf(error)) }
    }
  }

  #report(answers: Answer[]): void {
    this.#port.postMessage({ kind: 'answers', answers } satisfies Report)
  }
}
