import { describe, it } from 'vitest'
import { storeContract } from '../contract/suite.ts'
import { plainStore } from './store.ts'

const newGround = async () => ({ openStore: plainStore(), backupDirectory: 'copy', dispose: async () => {} })

storeContract('plain arrays', newGround, { describe, it })
