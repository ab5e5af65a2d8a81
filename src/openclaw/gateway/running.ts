/** Whether a gateway works on a home. Where that cannot be told, everything is done as if it did. */
export type GatewayFacts =
  | { state: 'running'; pid: number; sinceMs: number | null; proof: string; container: string | null }
  | { state: 'stopped'; proof: string }
  | { state: 'unknown'; because: string }
