import { homeIn } from '../scratch.ts'
import { repairAlone } from '../transcripts/home.ts'

/** Repairs a home, as a process of its own that can be killed. */
const { steps } = await repairAlone(homeIn(process.argv[2] ?? ''))
console.log(JSON.stringify(steps.map(({ path, done, left }) => ({ path, done, left }))))
