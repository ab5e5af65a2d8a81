import { describe, it } from 'vitest'
import { storeContract } from '../../src/testing/contract/suite.ts'
import { sqliteGround } from './ground.ts'

storeContract('SQLite', sqliteGround, { describe, it })
