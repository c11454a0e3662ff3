/** Kubelet's refusal of kernel settings, with --protect-kernel-defaults (pkg/kubelet/cm, setupKernelTunables). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { klogFatal } from './k3s-log.ts';

/** Exits with kubelet's error if a kernel setting below `folder` differs from the one that kubelet requires. */
export function refuseKernelSettings(folder: string): void {
  if (!existsSync(folder)) {
    // A node with a separate root shares the kernel of the machine, which the node must not judge.
    return;
  }
  const wrong = Object.entries(required).flatMap(([flag, expected]) => {
    const actual = Number(readFileSync(join(folder, flag), 'utf8').trim());
    return actual === expected
      ? []
      : [`invalid kernel flag: ${flag}, expected value: ${expected}, actual value: ${actual}`];
  });
  if (wrong.length > 0) {
    klogFatal('Failed to start ContainerManager', `[${wrong.join(', ')}]`);
  }
}

const required = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
} as const;
