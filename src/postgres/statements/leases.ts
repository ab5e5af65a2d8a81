import { leaseSql } from '../../relational/statements/leases.ts'
import type { Words } from './words.ts'

export const leaseWords: Words = [
  [
    leaseSql.ofHolders,
    `SELECT s.key FROM lease l JOIN session s ON s.id = l.session
     WHERE l.holder IN (SELECT value FROM json_each(?1)) ORDER BY l.turn DESC LIMIT ?2 + 0 FOR UPDATE OF s, l`,
  ],
]
