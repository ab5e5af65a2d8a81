import { describe, it } from 'vitest'
import { storeContract } from '../../src/testing/contract/suite.ts'
import { sqliteGround } from './ground.ts'

// Each promise has a data directory of its own, and spends most of its time waiting for the disk.
storeContract('SQLite', sqliteGround, { describe, it: it.concurrent })
