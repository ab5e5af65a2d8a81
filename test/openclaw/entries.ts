import type { BuiltSession } from './plans.ts'

const hourMs = 3_600_000

/** One entry of `sessions.json`, with the fields that 2026.5 to 2026.7 write. */
export function entryOf({ sessionId, path, plan }: BuiltSession, nowMs: number): Record<string, unknown> {
  const usedAtMs = nowMs - (plan.ageMs ?? hourMs)
  const status = plan.status === undefined ? 'done' : plan.status
  const running = status === 'running'
  return {
    sessionId,
    updatedAt: usedAtMs,
    sessionStartedAt: usedAtMs - 60_000,
    ...(plan.snapshotBytes === undefined ? {} : { skillsSnapshot: snapshotOf(plan.snapshotBytes) }),
    lastInteractionAt: usedAtMs - 20,
    sessionFile: path,
    ...(status === null ? {} : { status, startedAt: usedAtMs - 600 }),
    ...(status === null || running ? {} : { endedAt: usedAtMs - 10, runtimeMs: 590 }),
    abortedLastRun: false,
    contextTokens: 200_000,
    modelProvider: 'mock',
    model: 'm1',
    agentHarnessId: 'pi',
    ...(plan.reportBytes === undefined ? {} : { systemPromptReport: reportOf(plan.reportBytes, sessionId) }),
    inputTokens: 7_001,
    outputTokens: 20,
    totalTokens: 7_021,
    totalTokensFresh: true,
    cacheRead: 0,
    cacheWrite: 0,
    ...plan.entry,
  }
}

/** The same in every entry: what makes an index of real bots large. */
function snapshotOf(bytes: number): object {
  return { version: 1, skills: [{ name: 'canvas' }], prompt: 'The following skills are there. '.repeat(bytes / 32) }
}

function reportOf(bytes: number, sessionId: string): object {
  return {
    source: 'run',
    sessionId,
    systemPrompt: { chars: bytes },
    tools: 'read write edit exec. '.repeat(bytes / 22),
  }
}
