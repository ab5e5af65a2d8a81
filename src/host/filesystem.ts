import { statfsSync } from 'node:fs'

/**
 * File systems that other machines may write to as well, or whose locks and shared memory cannot be relied on (`f_type` of
 * statfs(2), and linux/magic.h). FUSE stands for whatever is behind it: sshfs, s3fs, shared folders of virtual machines.
 */
const untrusted: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x01021997, '9p'],
  [0x65735546, 'fuse'],
  [0x5346414f, 'afs'],
  [0x6b414653, 'afs'],
  [0x73757245, 'coda'],
  [0x564c, 'ncp'],
  [0x00c36400, 'ceph'],
  [0x0bd00bd0, 'lustre'],
  [0x786f4256, 'vboxsf'],
])

/** The name of a file system that is not to be trusted; null for all others. */
export function untrustedName(type: number): string | null {
  return untrusted.get(type >>> 0) ?? null
}

/** The same of the one that a directory lies on. */
export function untrustedFilesystemOf(directory: string): string | null {
  return untrustedName(statfsSync(directory).type)
}

/** Of those that are trusted, the ones that people have. */
const names: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x2fc12fc1, 'zfs'],
  [0xf2f52010, 'f2fs'],
  [0x794c7630, 'overlayfs'],
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
])

export interface Filesystem {
  /** Its type in hexadecimal where the name is not known here, as everywhere but on Linux. */
  name: string
  untrusted: boolean
  /** For this user. Unit: bytes. */
  freeBytes: number
  totalBytes: number
}

/** What a directory lies on. */
export function filesystemOf(directory: string): Filesystem {
  const { type, bsize, blocks, bavail } = statfsSync(directory)
  const untrustedAs = process.platform === 'linux' ? untrustedName(type) : null
  return {
    name: untrustedAs ?? names.get(type >>> 0) ?? `0x${(type >>> 0).toString(16)}`,
    untrusted: untrustedAs !== null,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
  }
}
