/** Named queues. Later lanes in this list give way to earlier ones. */
export const laneNames = ['main', 'subagent', 'cron', 'resume', 'background'] as const
export type LaneName = (typeof laneNames)[number]

/** How many turns of each lane may run at once in one process. */
export type LaneLimits = Readonly<Record<LaneName, number>>
