import { homeIn } from '../scratch.ts'
import { repair } from '../transcripts/home.ts'

/** Repairs the transcripts of a home, as a process of its own that can be killed. */
const { steps } = await repair(homeIn(process.argv[2] ?? ''))
console.log(JSON.stringify(steps.map(({ path, done, left }) => ({ path, done, left }))))
