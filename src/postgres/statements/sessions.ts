import { sessionSql } from '../../relational/statements/sessions.ts'
import type { Words } from './own.ts'

const later = (sql: string): string => sql.replace('max(active_ms, ?2)', 'greatest(active_ms, ?2)')

export const sessionWords: Words = [
  [sessionSql.admitted, later(sessionSql.admitted)],
  [sessionSql.touched, later(sessionSql.touched)],
]
