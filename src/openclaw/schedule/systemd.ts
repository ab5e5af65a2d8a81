import { type Program, prestartCommand } from './command.ts'

/**
 * The keeper as a service: bounded in memory and processor time, behind everything else, started again when it ends badly, and not
 * so often that it would be a burden. Source of the directives: systemd.exec(5), systemd.resource-control(5), systemd.service(5).
 */
export function keeperUnit(command: string[], scope: 'user' | 'system'): string {
  return `# Written by \`holdfast install --systemd\`; \`holdfast uninstall --systemd\` takes it away.
[Unit]
Description=Holdfast keeps the sessions of OpenClaw gateways healthy
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=exec
ExecStart=${command.map(systemdWord).join(' ')}
Restart=on-failure
RestartSec=30
Nice=10
IOSchedulingClass=idle
CPUQuota=50%
MemoryMax=512M
UMask=0077

[Install]
WantedBy=${scope === 'user' ? 'default.target' : 'multi-user.target'}
`
}

/** Before each start of the gateway. The minus: whatever happens to it, the gateway starts. */
export function prestartDropIn(request: { program: Program; homes: string[]; mode: string | null }): string {
  return `# Written by \`holdfast install --systemd\`; \`holdfast uninstall --systemd\` takes it away.
[Service]
ExecStartPre=-${prestartCommand(request).map(systemdWord).join(' ')}
`
}

/**
 * One word of a command line in a unit: quoted where it must be, with `%` and `$` doubled, since both are expanded in
 * quotes too (systemd.service(5), "Command lines").
 */
export function systemdWord(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain
  const escaped = plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\t', '\\t')
  return `"${escaped}"`
}
