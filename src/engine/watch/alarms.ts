/** Whoever watches looks this often. */
export const lookEveryMs = 1_000

/** Who wakes so much later than it wanted stood still with the whole process, and nobody is to blame. */
const oversleptMs = 1_000

/** A running turn as one look finds it. Another `of` is another turn, other `moves` are a sign of life. */
export interface Seat {
  slot: number
  of: number
  moves: number
}

/** What one look at the board finds; the time is the watcher's own, steady one. */
export interface Readings {
  atMs: number
  /** Grows while the event loop goes round. */
  beats: number
  turns: readonly Seat[]
}

/** Since when a counter has not moved, and whether that was told. */
interface Silence {
  sinceMs: number
  told: boolean
}

export type TurnSilence = Seat & Silence

/** What the watcher remembers from look to look. */
export interface View {
  atMs: number
  loop: { beats: number } & Silence
  turns: readonly TurnSilence[]
}

export type Alarm =
  | { kind: 'turn stuck'; turn: TurnSilence; stillMs: number }
  | { kind: 'turn moves'; turn: TurnSilence; stillMs: number }
  | { kind: 'turn ended'; turn: TurnSilence; stillMs: number }
  | { kind: 'loop wedged'; stillMs: number }
  | { kind: 'loop goes round'; stillMs: number }

/**
 * Judges by progress alone: what moves is never called stuck, however long it takes. Each silence is told once, and its end
 * once. No clock is shared with those who are watched; what was not seen to stand still does not count: after a sleep of
 * the whole process everybody begins anew, and a turn is not blamed for the time in which the event loop stood still.
 */
export function planAlarms(
  before: View | null,
  seen: Readings,
  limits: { stuckAfterMs: number; wedgedAfterMs: number },
): { view: View; alarms: Alarm[] } {
  const passedMs = before === null ? 0 : seen.atMs - before.atMs
  const excused = before === null || passedMs > lookEveryMs + oversleptMs
  const alarms: Alarm[] = []

  const goesRound = before === null || seen.beats !== before.loop.beats
  const loop = silenceOf(before?.loop ?? null, goesRound, excused, seen.atMs)
  if (goesRound && before?.loop.told === true) {
    alarms.push({ kind: 'loop goes round', stillMs: seen.atMs - before.loop.sinceMs })
  }
  if (!loop.told && seen.atMs - loop.sinceMs >= limits.wedgedAfterMs) {
    loop.told = true
    alarms.push({ kind: 'loop wedged', stillMs: seen.atMs - loop.sinceMs })
  }

  const known = new Map((before?.turns ?? []).map((turn) => [turn.slot, turn]))
  const turns = seen.turns.map((seat) => {
    const found = known.get(seat.slot)
    const prior = found?.of === seat.of ? found : null
    if (prior !== null) known.delete(seat.slot)
    const moved = prior === null || prior.moves !== seat.moves
    const turn = { ...seat, ...silenceOf(prior, moved, excused, seen.atMs) }
    if (moved && prior?.told === true) alarms.push({ kind: 'turn moves', turn, stillMs: seen.atMs - prior.sinceMs })
    if (!moved && !goesRound && !turn.told) turn.sinceMs = Math.min(seen.atMs, turn.sinceMs + passedMs)
    if (!turn.told && seen.atMs - turn.sinceMs >= limits.stuckAfterMs) {
      turn.told = true
      alarms.push({ kind: 'turn stuck', turn, stillMs: seen.atMs - turn.sinceMs })
    }
    return turn
  })
  for (const turn of known.values()) {
    if (turn.told) alarms.push({ kind: 'turn ended', turn, stillMs: seen.atMs - turn.sinceMs })
  }
  return { view: { atMs: seen.atMs, loop: { beats: seen.beats, ...loop }, turns }, alarms }
}

/** A silence that was told goes on until something moves. */
function silenceOf(prior: Silence | null, moved: boolean, excused: boolean, atMs: number): Silence {
  if (prior === null || moved || (excused && !prior.told)) return { sinceMs: atMs, told: false }
  return { sinceMs: prior.sinceMs, told: prior.told }
}
