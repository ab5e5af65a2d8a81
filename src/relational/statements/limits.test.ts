import { expect, it } from 'vitest'
import { deliverySql } from './deliveries.ts'
import { entrySql } from './entries.ts'
import { jobSql } from './jobs.ts'
import { laneSql } from './lanes.ts'
import { leaseSql } from './leases.ts'
import { inspectSql, repairSql, startSql } from './recovery.ts'
import { sessionSql } from './sessions.ts'
import { summarySql } from './summaries.ts'
import { turnSql } from './turns.ts'
import { waitSql } from './waits.ts'

it('no statement of every day is prepared anew with each call, as SQLite does for a bare bound limit', () => {
  const often = [sessionSql, turnSql, entrySql, deliverySql, jobSql, laneSql, leaseSql, summarySql, waitSql]
  const statements = [...often, inspectSql, repairSql, startSql].flatMap((each) => Object.entries(each))
  expect(statements.length).toBeGreaterThan(100)
  expect(statements.filter(([, sql]) => /LIMIT \?\d*(?!\d| \+)/.test(sql))).toEqual([])
})
