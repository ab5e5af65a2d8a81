import { formatSize } from '../model/units.ts'
import type { RetentionFacts } from '../store/retention.ts'
import type { RetentionPolicy } from './policy.ts'
import type { FolderFacts, RetentionStep } from './steps.ts'

export interface OverBudget {
  budgetBytes: number
  /** When everything planned is done. */
  usedBytes: number
  archivesBytes: number
  trashBytes: number
  because: string
}

/** What a disk budget asks of one round. */
export interface Budget {
  budgetBytes: number
  draining: boolean
  because: string
  isMet(): boolean
  /** False: archives alone are over the low mark, and nothing deletes them; what is taken out only adds to them. */
  isReachable(): boolean
  /** A step is planned for it. */
  count(step: RetentionStep): void
  /** What is used when all that was counted is done. */
  readonly usedBytes: number
}

/** A copy stays, compressed: talk shrinks to about a quarter. A wrong guess costs a round, since each reads the facts anew. */
const packedShare = 0.25

/** Above the high mark it drains until the low one. Free pages do not count: they are given back after every round. */
export function budgetOf(
  facts: RetentionFacts,
  folders: readonly FolderFacts[],
  disk: RetentionPolicy['disk'],
  draining: boolean,
  planned: readonly RetentionStep[],
): Budget | null {
  const { budgetBytes, highShare, lowShare } = disk
  if (budgetBytes === null) return null
  const archives = folders.filter(({ place }) => place === 'archives')
  const foundBytes = facts.bytes.database - facts.bytes.free + bytesOf(folders)
  const isDraining = foundBytes > budgetBytes * (draining ? lowShare : highShare)
  let usedBytes = foundBytes
  let archivesBytes = bytesOf(archives)
  const count = (step: RetentionStep) => {
    usedBytes -= gainOf(step)
    if (step.kind === 'take out' && step.end === 'archive') archivesBytes += step.bytes * packedShare
    if (step.kind === 'to trash') archivesBytes -= step.bytes
  }
  planned.forEach(count)
  return {
    budgetBytes,
    draining: isDraining,
    because: `${formatSize(foundBytes)} on the disk, the budget is ${formatSize(budgetBytes)}`,
    isMet: () => !isDraining || usedBytes <= budgetBytes * lowShare,
    isReachable: () => archivesBytes <= budgetBytes * lowShare,
    count,
    get usedBytes() {
      return usedBytes
    },
  }
}

const bytesOf = (folders: readonly FolderFacts[]) => folders.reduce((sum, { bytes }) => sum + bytes, 0)

function gainOf(step: RetentionStep): number {
  switch (step.kind) {
    case 'take out':
      return step.bytes * (1 - packedShare)
    case 'to trash':
      return 0
    case 'delete':
    case 'forget':
      return step.bytes
  }
}

/** Archives are never deleted for the budget alone, nor is who is protected taken out: then it is over, and that is told. */
export function overBudgetOf(
  budget: Budget,
  steps: readonly RetentionStep[],
  folders: readonly FolderFacts[],
): OverBudget | null {
  if (!budget.draining || steps.length > 0 || budget.usedBytes <= budget.budgetBytes) return null
  const { budgetBytes, usedBytes } = budget
  const bytesIn = (place: FolderFacts['place']) => bytesOf(folders.filter((folder) => folder.place === place))
  const archivesBytes = bytesIn('archives')
  const trashBytes = bytesIn('trash')
  const because =
    `${formatSize(usedBytes)} are used, the budget is ${formatSize(budgetBytes)}, and nothing more may go: ` +
    `${formatSize(archivesBytes)} are archives, ${formatSize(trashBytes)} new trash, the rest is protected or in use. ` +
    'Raise retention.disk.budget, limit retention.archives, or empty the trash.'
  return { budgetBytes, usedBytes, archivesBytes, trashBytes, because }
}
