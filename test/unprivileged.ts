import { execFileSync } from 'node:child_process'

/** `nobody`, whom closed files stop. */
const nobody = 65_534

/** Runs it as the owner of the directory who is not root, whoever runs the tests: nothing is closed to root. */
export async function unprivileged<T>(directory: string, run: () => T | Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return await run()
  execFileSync('chown', ['-R', String(nobody), directory])
  return await asNobody(run)
}

/** Root runs it as a user who owns nothing. */
export async function asNobody<T>(run: () => T | Promise<T>): Promise<T> {
  process.seteuid?.(nobody)
  try {
    return await run()
  } finally {
    process.seteuid?.(0)
  }
}
