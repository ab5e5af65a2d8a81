/** Starts what follows as process 1 of a pid namespace of its own, as a container does, and ends with it. Root or not. */
export const container: readonly string[] = [
  'unshare',
  ...(process.geteuid?.() === 0 ? [] : ['--user', '--map-root-user']),
  '--pid',
  '--fork',
  '--kill-child',
]
