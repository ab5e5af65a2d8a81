import { jobSql } from '../../relational/statements/jobs.ts'
import type { Words } from './own.ts'

export const jobWords: Words = [
  [jobSql.forget, 'UPDATE job SET forgotten_ms = greatest(forgotten_ms, ?2) WHERE id = ?1'],
]
