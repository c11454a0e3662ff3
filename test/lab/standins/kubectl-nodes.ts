/**
 * The table of `kubectl get nodes`.
 *
 * Models printNode of Kubernetes (pkg/printers/internalversion/printers.go) and HumanDuration of apimachinery for ages.
 */

interface NodeObject {
  readonly metadata?: {
    readonly name?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: {
    readonly nodeInfo?: { readonly kubeletVersion?: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Returns the lines of the table for these Nodes; `now` is in epoch milliseconds. */
export function nodeTable(nodes: readonly object[], now: number): string {
  const rows = [['NAME', 'STATUS', 'ROLES', 'AGE', 'VERSION'], ...nodes.map((node) => rowOf(node, now))];
  const widths = rows.reduce<readonly number[]>(
    (known, row) => row.map((cell, index) => Math.max(cell.length, known[index] ?? 0)),
    [],
  );
  const lines = rows.map((row) => row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('   '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function rowOf({ metadata = {}, spec, status = {} }: NodeObject, now: number): readonly string[] {
  const ready = status.conditions?.find(({ type }) => type === 'Ready')?.status;
  const state = ready === undefined ? 'Unknown' : ready === 'True' ? 'Ready' : 'NotReady';
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(metadata.labels ?? {}).filter((label) => label.startsWith(prefix));
  return [
    metadata.name ?? '',
    spec?.unschedulable ? `${state},SchedulingDisabled` : state,
    roles
      .map((label) => label.slice(prefix.length))
      .toSorted()
      .join(',') || '<none>',
    ageOf(now - Date.parse(metadata.creationTimestamp ?? '')),
    status.nodeInfo?.kubeletVersion ?? '',
  ];
}

function ageOf(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  if (Number.isNaN(seconds)) {
    return '<unknown>';
  }
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600)];
  if (seconds < 120) {
    return `${seconds}s`;
  }
  if (minutes < 10) {
    return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  }
  return minutes < 180 ? `${minutes}m` : `${hours}h`;
}
