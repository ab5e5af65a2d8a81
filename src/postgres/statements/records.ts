import { recordSql } from '../../relational/rows/records.ts'
import type { Words } from './own.ts'

export const recordWords: Words = [
  [
    recordSql.hasColumn,
    `SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ? AND column_name = ?`,
  ],
]
