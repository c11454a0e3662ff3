/**
 * The repair of a K3s that cannot run its unpacked programs. `k3s` unpacks them once for each release, into
 * data/<sha256>, checks them and renames the directory, all without fsync(2); from then on it only checks that bin/k3s
 * exists (cmd/k3s/main.go, extract). So a power loss soon after can leave programs empty or cut off for good.
 */
export const unpackAnew =
  'What K3s has unpacked may be damaged, as by a power loss. Run: rm -r /var/lib/rancher/k3s/data/????????????????*; K3s unpacks ' +
  'it anew at its next start, which systemd sees to.';

/** Signals that end a program of which a part is missing: SIGILL, SIGBUS, SIGSEGV (signal(7)). */
const signals: readonly string[] = ['4', '7', '11'];

/** True if a main process ended like one that is only partly on disk; values as systemctl show gives them. */
export function endedAsCutOff(shown: { readonly Result: string; readonly ExecMainStatus: string }): boolean {
  return ['signal', 'core-dump'].includes(shown.Result) && signals.includes(shown.ExecMainStatus);
}
