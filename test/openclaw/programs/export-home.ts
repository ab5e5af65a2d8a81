import { exportTo, openStore } from '../moving.ts'

/** Exports a store as a home, to be killed on the way. DATA HOME */

const [data = '', home = ''] = process.argv.slice(2)
console.log('begins')
await using store = await openStore(data)
const { totals } = await exportTo(store, home)
console.log(JSON.stringify(totals))
