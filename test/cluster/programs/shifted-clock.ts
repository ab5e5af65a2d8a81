/** Loaded before a program, in each of its threads: its calendar clock is off by CLOCK_AHEAD_S seconds, the steady one as it is. */
const aheadMs = Number(process.env.CLOCK_AHEAD_S ?? 0) * 1_000

if (aheadMs !== 0) {
  const Real = Date
  const nowMs = () => Real.now() + aheadMs
  class ShiftedDate extends Real {
    constructor(...given: unknown[]) {
      super(...((given.length === 0 ? [nowMs()] : given) as [number]))
    }
    static override now(): number {
      return nowMs()
    }
  }
  globalThis.Date = ShiftedDate as DateConstructor
}
