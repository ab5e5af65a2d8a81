/**
 * `error`: people are shut out or lose something, or will at the next step of the gateway; `warning`: it grows, or will hurt; `note`: worth
 * knowing. Only the first two make `doctor` end with 1.
 */
export const severities = ['error', 'warning', 'note'] as const
export type Severity = (typeof severities)[number]

export interface Meaning {
  severity: Severity
  title: string
  /** What it does to people, or why it matters. */
  means: string
  /** The command that ends it, or what a person does. `{dir}` is the home, `{owner}` the user id that it belongs to. */
  fix: string
}
