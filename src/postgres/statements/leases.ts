import { leaseSql } from '../../relational/statements/leases.ts'
import { hasLapsed } from '../database/lease.ts'
import type { Words } from './own.ts'

export const leaseWords: Words = [
  // who slept and works again lives: else what it claims would be taken from it at once
  [
    leaseSql.addHolder,
    `WITH woken AS (UPDATE holder h SET renewed_at = clock_timestamp() WHERE h.id = ?1 AND ${hasLapsed('h')})
     ${leaseSql.addHolder}`,
  ],
  [
    leaseSql.ofLapsed,
    `SELECT s.key FROM lease l JOIN session s ON s.id = l.session JOIN holder h ON h.id = l.holder
     WHERE ${hasLapsed('h')} AND h.id <> ?1 ORDER BY l.turn DESC LIMIT ?2 + 0 FOR UPDATE OF s, l, h`,
  ],
  [
    leaseSql.ofHolders,
    `SELECT s.key FROM lease l JOIN session s ON s.id = l.session
     WHERE l.holder IN (SELECT value FROM json_each(?1)) ORDER BY l.turn DESC LIMIT ?2 + 0 FOR UPDATE OF s, l`,
  ],
]
