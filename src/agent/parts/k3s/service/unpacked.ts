/**
 * The advice for a K3s that cannot run its unpacked programs. `k3s` unpacks them once for each release, into
 * data/<sha256>, checks them and renames the directory, all without fsync(2). From then on it only checks that bin/k3s
 * exists (cmd/k3s/main.go, extract), so a power loss soon after the unpacking can leave programs empty or truncated
 * permanently.
 */
export const unpackAnew =
  'What K3s has unpacked may be damaged, as by a power loss. Run: rm -r /var/lib/rancher/k3s/data/????????????????*; K3s unpacks ' +
  'it anew at its next start, which systemd sees to.';

/** The signals that end a truncated program: SIGILL, SIGBUS, SIGSEGV (signal(7)). */
const signals: readonly string[] = ['4', '7', '11'];

/** True if the main process ended like a truncated program; the values are those of `systemctl show`. */
export function endedAsCutOff(shown: { readonly Result: string; readonly ExecMainStatus: string }): boolean {
  return ['signal', 'core-dump'].includes(shown.Result) && signals.includes(shown.ExecMainStatus);
}
