/** What a start may spend on what the last one left unfinished. How many resumes run at once is the lane's (`resume`). */
export interface RecoveryBudget {
  /** Off: nothing is resumed; new messages are answered as always. */
  enabled: boolean
  /** Of one resumed turn; the turn's own limit, when that is shorter. */
  timeLimitMs: number
  /** Nothing older is resumed, counted from its last sign of life. */
  ageMaxMs: number
  /** Resumes of one start; what is beyond is told to its sender. */
  resumesMax: number
  /** So many starts after an unclean end, within so long, turn resumes off until the process has lived as long. */
  crashLoop: { starts: number; withinMs: number }
}

export const defaultRecoveryBudget: RecoveryBudget = {
  enabled: true,
  timeLimitMs: 60_000,
  ageMaxMs: 24 * 3_600_000, // an answer to yesterday's message surprises more than it helps
  resumesMax: 200,
  crashLoop: { starts: 3, withinMs: 5 * 60_000 },
}
