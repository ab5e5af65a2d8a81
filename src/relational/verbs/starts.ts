import type { Holder } from '../../model/holders.ts'
import type { Start } from '../../model/starts.ts'
import { listStarts } from '../reads/recovery.ts'
import { startSql } from '../statements/recovery.ts'
import { type Steps, write } from '../steps.ts'
import { addHolder } from './claim.ts'
import type { Work } from './work.ts'

export function* recordStart(_work: Work, { holder, atMs }: { holder: Holder; atMs: number }): Steps<Start[]> {
  yield* addHolder(holder) // where several machines share a store, starts are judged by machine
  yield* write(startSql.add, holder.id, holder.pid, atMs)
  yield* write(startSql.forget)
  return yield* listStarts()
}

export function* recordEnd(_work: Work, { holderId, atMs }: { holderId: string; atMs: number }): Steps<void> {
  yield* write(startSql.end, holderId, atMs)
}
