import { placeCodes } from './codes/place.ts'
import { sessionCodes } from './codes/sessions.ts'
import { standingCodes } from './codes/standing.ts'
import { transcriptCodes } from './codes/transcripts.ts'

/** Everything that the doctor can find. Closed: programs branch on these codes, and `docs/homes.md` is made from them. */
export const findingCatalog = { ...sessionCodes, ...transcriptCodes, ...placeCodes, ...standingCodes } as const

export type FindingCode = keyof typeof findingCatalog
