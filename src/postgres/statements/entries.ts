import { blobSql } from '../../relational/rows/bodies.ts'
import type { Words } from './own.ts'

export const entryWords: Words = [
  // a body that is found must stay until what refers to it is committed
  [blobSql.find, 'SELECT id FROM blob WHERE hash = ? FOR KEY SHARE'],
  [
    blobSql.add,
    `INSERT INTO blob (hash, bytes, stored, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash RETURNING id`,
  ],
]
