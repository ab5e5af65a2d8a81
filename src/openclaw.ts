/** Looking after homes of OpenClaw gateways, as a library. */

export { type Clock, systemClock } from './host/clock.ts'
export type { AgentHome, Home } from './openclaw/home/home.ts'
export { defaultHomePolicy, type HomePolicy } from './openclaw/home/policy.ts'
export { type EntryChange, type Json, patchEntry } from './openclaw/index/edit.ts'
export type { EntryFacts, FieldWeight, IndexFacts } from './openclaw/index/facts.ts'
export type { ArchiveItem, Keeping, Upkept } from './openclaw/index/store/maintain.ts'
export { type IndexOutside, type IndexStore, openIndexStore } from './openclaw/index/store/store.ts'
export type { Surroundings, UpkeepPlan } from './openclaw/index/store/upkeep.ts'
export type { IndexView } from './openclaw/index/store/view.ts'
