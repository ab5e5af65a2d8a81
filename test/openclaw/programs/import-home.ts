import { importInto, openStore } from '../moving.ts'

/** Imports a home into a store, to be killed on the way. HOME DATA */

const [home = '', data = ''] = process.argv.slice(2)
console.log('begins')
await using store = await openStore(data)
const { totals } = await importInto(store, home)
console.log(JSON.stringify(totals))
