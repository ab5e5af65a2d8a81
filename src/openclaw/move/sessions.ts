import { type Session, sessionStates } from '../../model/sessions.ts'
import type { Store } from '../../store/port.ts'

const pageRows = 200

/** All sessions of a store, archived ones too. */
export async function* everySession(store: Store): AsyncGenerator<Session, void, undefined> {
  for (const state of sessionStates) {
    let after: string | undefined
    do {
      const page = await store.listSessions({ state, limit: pageRows, ...(after === undefined ? {} : { after }) })
      yield* page.items
      after = page.next ?? undefined
    } while (after !== undefined)
  }
}
