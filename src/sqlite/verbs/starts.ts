import type { Holder } from '../../model/holders.ts'
import type { Start } from '../../model/starts.ts'
import { listStarts } from '../reads/recovery.ts'
import { startSql } from '../statements/recovery.ts'
import type { Work } from './work.ts'

export function recordStart(work: Work, { holder, atMs }: { holder: Holder; atMs: number }): Start[] {
  work.db.run(startSql.add, holder.id, holder.pid, atMs)
  work.db.run(startSql.forget)
  return listStarts(work.db)
}

export function recordEnd(work: Work, { holderId, atMs }: { holderId: string; atMs: number }): void {
  work.db.run(startSql.end, holderId, atMs)
}
