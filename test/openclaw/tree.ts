import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { sha256 } from '../../src/host/random.ts'

/** Everything below a directory but our own folder, as text that can be compared: names, bytes, permission bits, owners, and times of files to the microsecond. */
export function treeOf(root: string): Record<string, string> {
  const found: Record<string, string> = {}
  const look = (directory: string) => {
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name)
      const where = relative(root, path)
      if (where === 'holdfast') continue
      const stat = lstatSync(path, { bigint: true })
      const mode = `${(stat.mode & 0o7777n).toString(8)} ${stat.uid}:${stat.gid}`
      if (stat.isDirectory()) {
        found[`${where}/`] = mode
        look(path)
      } else if (stat.isFile())
        found[where] = `${mode} ${stat.size} ${stat.mtimeNs / 1_000n} ${sha256(readFileSync(path)).slice(0, 16)}`
      else found[where] = 'something else'
    }
  }
  look(root)
  return found
}
