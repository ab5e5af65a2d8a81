import { cleaned } from '../clean/cleaning.ts'

/** Cleans a home, to be killed or watched on the way. */
const [dir = ''] = process.argv.slice(2)
const { steps } = await cleaned(dir)
process.stdout.write(`${steps.filter(({ done }) => done).length} of ${steps.length}\n`)
