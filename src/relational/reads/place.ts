import type { StoreStatistics } from '../../store/upkeep.ts'
import type { Steps } from '../steps.ts'

/** What a reading verb asks of the place where the data lies. */
export interface Place {
  bytes(): Steps<StoreStatistics['bytes']>
}
