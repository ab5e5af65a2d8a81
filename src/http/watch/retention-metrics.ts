import { Counter, Gauge, type Registry } from 'prom-client'
import type { Telemetry } from '../../engine/telemetry.ts'

const perSecond = 1_000

/** What sweeps have done; every series from the start. */
export function retentionMetrics(registry: Registry): Telemetry['swept'] {
  const registers = [registry]
  const sweeps = new Counter({
    name: 'holdfast_retention_sweeps_total',
    help: 'Sweeps that have ended, by whether they changed anything or only told.',
    labelNames: ['applied'] as const,
    registers,
  })
  const counter = (name: string, help: string) =>
    new Counter({ name: `holdfast_retention_${name}_total`, help, registers })
  const gauge = (name: string, help: string) => new Gauge({ name: `holdfast_retention_${name}`, help, registers })
  const transcripts = counter('transcripts', 'Transcripts that were taken out of the database.')
  const bytes = counter('bytes', 'Bytes of their records, before compression.')
  const deleted = counter('deleted', 'Transcripts that were deleted for good from the trash.')
  const worstStep = gauge(
    'worst_step_seconds',
    'The longest step of the last sweep, from the call to the durable answer.',
  )
  const lastAt = gauge('last_sweep_timestamp_seconds', 'When the last sweep ended; 0: none has.')
  const overBudget = gauge('over_budget_bytes', 'How far the disk budget could not be met by the last sweep.')
  for (const applied of ['true', 'false']) sweeps.inc({ applied }, 0)

  return (report) => {
    sweeps.inc({ applied: String(report.applied) })
    if (report.applied) {
      transcripts.inc(report.transcripts)
      bytes.inc(report.bytes)
      deleted.inc(report.deleted)
    }
    worstStep.set(report.worstStepMs / perSecond)
    lastAt.set(report.endedAtMs / perSecond)
    overBudget.set(report.overBudget === null ? 0 : report.overBudget.usedBytes - report.overBudget.budgetBytes)
  }
}
