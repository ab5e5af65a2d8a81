export { openReadOnly, type SqliteOptions, sqliteStore } from './sqlite/open.ts'
export { type Owner, readOwner, writeOwnerAddress } from './sqlite/owner.ts'
