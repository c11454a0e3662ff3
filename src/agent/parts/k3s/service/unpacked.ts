/**
 * The advice if K3s cannot run the programs it has unpacked. `k3s` unpacks them once for each release, into
 * data/<sha256>, checks them and renames the directory, all without fsync(2). From then on it only checks that bin/k3s
 * exists (cmd/k3s/main.go, extract). So a power loss soon after the unpacking can leave programs permanently empty or
 * truncated.
 */
export const unpackAnew =
  'What K3s has unpacked may be damaged, as by a power loss. Run: rm -r /var/lib/rancher/k3s/data/????????????????*; K3s unpacks ' +
  'it anew at its next start, which systemd sees to.';

/** The signals with which a truncated program ends: SIGILL, SIGBUS, SIGSEGV (signal(7)). */
const signals: readonly string[] = ['4', '7', '11'];

/** True if a signal typical of a truncated program ended the main process; `shown` is from `systemctl show`. */
export function endedAsCutOff(shown: { readonly Result: string; readonly ExecMainStatus: string }): boolean {
  return ['signal', 'core-dump'].includes(shown.Result) && signals.includes(shown.ExecMainStatus);
}
