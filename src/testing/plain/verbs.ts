/** A group of verbs without their promises. */
export type Sync<Verbs> = {
  [Verb in keyof Verbs]: Verbs[Verb] extends (...input: infer Input) => Promise<infer Output>
    ? (...input: Input) => Output
    : never
}
