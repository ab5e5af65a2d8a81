/** What an adapter or an engine is tested with: time that stands still, the store's contract, a plain store. */
export { ManualClock } from './testing/clock.ts'
export { Scene, type StoreGround } from './testing/contract/scene.ts'
export { storeContract, type TestFrame } from './testing/contract/suite.ts'
export { plainStore } from './testing/plain/store.ts'
