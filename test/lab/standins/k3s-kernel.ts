/** The check that kubelet makes with --protect-kernel-defaults (pkg/kubelet/cm, setupKernelTunables). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { klogFatal } from './k3s-log.ts';

/**
 * Exits with kubelet's error if a kernel setting below `folder` differs from the value that kubelet requires. Does
 * nothing if `folder` is missing.
 */
export function refuseKernelSettings(folder: string): void {
  if (!existsSync(folder)) {
    // A lab node with its own root directory shares the machine's kernel, whose settings must not make the node fail.
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
