import type { Step } from '../clean/steps.ts'
import type { Judged } from '../files/identity.ts'
import type { JudgedLock } from '../locks/verdict.ts'

export type PrestartAct =
  /** An index that cannot be read is made anew from transcripts and copies. */
  | { do: 'rebuild' }
  /** The entry says that its turn has failed, so that the start leaves it alone. Its next message finds its history. */
  | { do: 'settle'; isChild: boolean }
  /** The entry says that its turn was cut off: what the lock told before it is cleared. */
  | { do: 'mark' }
  | { do: 'drop' }
  | { do: 'slim'; fields: readonly string[] }
  | { do: 'clear'; lock: JudgedLock }
  /** The transcript is mended before it is gone on with. */
  | { do: 'mend' }
  /** These threads are no longer bound to a session. */
  | { do: 'unbind'; judged: Judged; places: readonly string[] }

export type PrestartStep = Step<PrestartAct>

/** What the end and the beginning of a transcript say of going on with it. */
export type Tail =
  | {
      state: 'read'
      /** Of the last message; null: it holds none. */
      lastRole: string | null
      /** The last message says that the model, or the gateway, failed. */
      failed: boolean
      /** So often starts have gone on with it since its last answer. */
      attempts: number
      /** It begins without a header or ends in the middle of a line: to be mended first. */
      torn: boolean
    }
  | { state: 'missing' }
  | { state: 'unreadable'; because: string }
