import { join } from 'node:path';
import { NodeError } from '../../../engine/errors.ts';
import type { Command, CommandResult, Host, HostReader } from '../../../engine/host.ts';
import { inSync, type Resource } from '../../../engine/resource.ts';
import type { NodePaths } from '../../../paths.ts';
import { noneOf } from '../../../resources/removed.ts';

const tools = ['iptables', 'ip6tables'] as const;
type Tool = (typeof tools)[number];

/** The exit code by which a shell, and therefore a Host, reports that a program is not installed. */
const notInstalled = 127;

/**
 * Removes the rules of kube-proxy, the network policy controller, CNI and flannel from the packet filter. CNI gives its
 * chains the same names for every program that runs its plugins, so the chains of another containerd are removed too.
 */
export function packetFilterCleared(paths: NodePaths, needs: readonly string[]): readonly Resource[] {
  return [...tools.map((tool) => rulesGone(tool, paths, needs)), tablesGone(needs)];
}

/** The ids of the Resources that must finish before the K3s data, which contains iptables programs, may be removed. */
export const rulesGoneIds: readonly string[] = tools.map(rulesGoneId);

function rulesGoneId(tool: Tool): string {
  return `Gone/${tool}`;
}

/** Removes the chains of K3s and the rules that lead into these chains; every other rule stays, with its counters. */
function rulesGone(tool: Tool, paths: NodePaths, needs: readonly string[]): Resource {
  return {
    id: rulesGoneId(tool),
    summary: `remove the rules of K3s from ${tool}`,
    condition: 'System',
    needs,
    async check(host) {
      const { program, saved } = await saveRules(host, tool, paths);
      const rules = removal(saved);
      if (rules === '' && (await host.stat(draftFor(tool))) === undefined) {
        return inSync();
      }
      const changes = [{ field: tool, observed: 'rules of K3s', desired: undefined }];
      const remedy = (host: Host) => restoreRules(host, { tool, program, rules });
      return { state: 'Drifted', drift: { changes, remedy } };
    },
  };
}

interface Saved {
  readonly program: string;
  readonly saved: string;
}

/**
 * Returns the current rules and the program that printed them: the system's own or, if that is not installed, the one
 * that K3s unpacked. Without either program, the rules are empty. Throws `CommandFailed` if a program fails.
 */
async function saveRules(host: HostReader, tool: Tool, { k3s }: NodePaths): Promise<Saved> {
  for (const program of [tool, join(k3s.data, 'data/current/bin/aux', tool)]) {
    const command = { file: `${program}-save`, args: [] };
    const result = await host.query(command);
    if (result.exitCode === 0) {
      return { program, saved: result.stdout };
    }
    if (result.exitCode !== notInstalled) {
      throw rulesUnreadable(command, result);
    }
  }
  return { program: tool, saved: '' };
}

function rulesUnreadable({ file, args }: Command, { exitCode, stderr }: CommandResult): NodeError {
  return new NodeError(
    'CommandFailed',
    `${[file, ...args].join(' ')} ended with ${exitCode}: ${stderr.trim() || 'no message'}. What K3s left in the packet ` +
      'filter is not known. Repair that, and run this again; a reboot empties the packet filter.',
  );
}

/**
 * Returns the path of the draft for iptables-restore. Only root can read the draft, and it does not survive a reboot.
 */
function draftFor(tool: string): string {
  return `/run/slipway-packet-filter.${tool}`;
}

/**
 * Passes the rules, if there are any, to iptables-restore(8), which changes a table completely or not at all. Always
 * removes the draft, even one that an earlier crash left behind.
 */
async function restoreRules(
  host: Host,
  { tool, program, rules }: { readonly tool: Tool; readonly program: string; readonly rules: string },
): Promise<void> {
  const path = draftFor(tool);
  try {
    if (rules === '') {
      return;
    }
    await host.writeFile(path, rules, { mode: 0o600 });
    await host.run({ file: `${program}-restore`, args: ['--wait', '--noflush', path] });
  } finally {
    await host.remove(path);
  }
}

/**
 * Returns the input for iptables-restore --noflush that removes the K3s rules from the output of iptables-save; empty
 * if the output has none.
 */
export function removal(saved: string): string {
  const tables = saved.split(/^(?=\*)/m).filter((text) => text.startsWith('*'));
  const parts = tables.map(removalFrom).filter((part) => part !== '');
  return parts.join('');
}

function removalFrom(table: string): string {
  const [name = '', ...lines] = table.split('\n');
  const chains = lines.flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []).filter(isOurs);
  const rules = lines.filter((line) => leadsToOurs(line)).map((line) => line.replace(/^-A/, '-D'));
  if (chains.length + rules.length === 0) {
    return '';
  }
  // All chains are flushed before the first is deleted, since a chain to which a rule still jumps cannot be deleted.
  const commands = [
    ...rules,
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
  ];
  return [name, ...commands, 'COMMIT', ''].join('\n');
}

/**
 * True for a chain of K3s. False for CNI-ADMIN, which CNI creates for the operator's own rules (documentation of the
 * firewall plugin).
 */
function isOurs(chain: string): boolean {
  return /^(KUBE|CNI|FLANNEL)-/.test(chain) && chain !== 'CNI-ADMIN';
}

/** True for a rule outside the K3s chains that jumps to one of them, or that flannel marked as its own. */
function leadsToOurs(line: string): boolean {
  const [, chain] = /^-A (\S+) /.exec(line) ?? [];
  if (chain === undefined || isOurs(chain)) {
    return false;
  }
  const [, target = ''] = /\s-[jg] (\S+)/.exec(line.replaceAll(quotedText, '""')) ?? [];
  return isOurs(target) || /\s--comment "flanneld (masq|forward)"(\s|$)/.test(line);
}

/** Matches a quoted string, such as a comment with blanks, as iptables-save prints it. */
const quotedText = /"(\\.|[^"\\])*"/g;

/** Removes the nftables tables of kube-proxy and flannel. */
function tablesGone(needs: readonly string[]): Resource {
  return {
    id: 'Gone/nftables',
    summary: 'remove the tables of K3s from nftables',
    condition: 'System',
    needs,
    async check(host) {
      const tables = await k3sTables(host);
      const commands = tables.map((table) => `delete table ${table}`).join('; ');
      const remedy = async (host: Host) => void (await host.run({ file: 'nft', args: [commands] }));
      return noneOf(tables, { remedy });
    },
  };
}

async function k3sTables(host: HostReader): Promise<readonly string[]> {
  const command = { file: 'nft', args: ['list', 'tables'] };
  const result = await host.query(command);
  if (![0, notInstalled].includes(result.exitCode)) {
    throw rulesUnreadable(command, result);
  }
  const tables = [...result.stdout.matchAll(/^table (\S+ \S+)$/gm)].map(([, table = '']) => table);
  return tables.filter((table) => /^ip6? (kube-proxy|flannel-ipv[46])$/.test(table));
}
