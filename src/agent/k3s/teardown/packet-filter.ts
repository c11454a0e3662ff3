import type { Host, HostReader } from '../../core/host.ts';
import { inSync, type Resource } from '../../core/resource.ts';

/** What K3s' parts put into the packet filter is gone: kube-proxy, the network policy controller, CNI and flannel. */
export function packetFilterCleared(needs: readonly string[]): readonly Resource[] {
  return [rulesGone('iptables', needs), rulesGone('ip6tables', needs), tablesGone(needs)];
}

/** Chains of K3s' parts, and the rules that lead into them; every other rule stays, with its counters. */
function rulesGone(tool: 'iptables' | 'ip6tables', needs: readonly string[]): Resource {
  return {
    id: `Gone/${tool}`,
    summary: `remove the rules of K3s from ${tool}`,
    condition: 'System',
    needs,
    async check(host) {
      // Where the program is missing K3s has used its own nft, or there is nothing.
      const { stdout } = await host.query({ file: `${tool}-save`, args: [] });
      const rules = removal(stdout);
      if (rules === '' && (await host.stat(draftFor(tool))) === undefined) return inSync();
      const changes = [{ field: tool, observed: 'rules of K3s', desired: undefined }];
      return { state: 'Drifted', drift: { changes, remedy: (host) => restore(host, tool, rules) } };
    },
  };
}

/** Readable by root alone, on a file system that no reboot keeps. */
function draftFor(tool: string): string {
  return `/run/slipway-packet-filter.${tool}`;
}

/** A table is changed whole or not at all (iptables-restore(8)). */
async function restore(host: Host, tool: string, rules: string): Promise<void> {
  const path = draftFor(tool);
  try {
    if (rules === '') return;
    await host.writeFile(path, rules, { mode: 0o600 });
    await host.run({ file: `${tool}-restore`, args: ['--wait', '--noflush', path] });
  } finally {
    await host.remove(path);
  }
}

/** Input for iptables-restore --noflush that takes K3s' part out of what iptables-save printed; empty for nothing. */
export function removal(saved: string): string {
  const tables = saved.split(/^(?=\*)/m).filter((text) => text.startsWith('*'));
  const parts = tables.map(removalFrom).filter((part) => part !== '');
  return parts.join('');
}

function removalFrom(table: string): string {
  const [name = '', ...lines] = table.split('\n');
  const chains = lines.flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []).filter(isOurs);
  const rules = lines.filter((line) => leadsToOurs(line)).map((line) => line.replace(/^-A/, '-D'));
  if (chains.length + rules.length === 0) return '';
  // All are emptied before the first goes, since a chain that another leads to cannot.
  const commands = [
    ...rules,
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
  ];
  return [name, ...commands, 'COMMIT', ''].join('\n');
}

function isOurs(chain: string): boolean {
  return /^(KUBE|CNI|FLANNEL)-/.test(chain);
}

/** A rule of another chain that jumps into one of K3s', or that flannel marked as its own. */
function leadsToOurs(line: string): boolean {
  const [, chain] = /^-A (\S+) /.exec(line) ?? [];
  if (chain === undefined || isOurs(chain)) return false;
  const [, target = ''] = /\s-[jg] (\S+)/.exec(line) ?? [];
  return isOurs(target) || /--comment "?flanneld? /.test(line);
}

/** The tables of kube-proxy and flannel where they use nftables. */
function tablesGone(needs: readonly string[]): Resource {
  return {
    id: 'Gone/nftables',
    summary: 'remove the tables of K3s from nftables',
    condition: 'System',
    needs,
    async check(host) {
      const tables = await k3sTables(host);
      if (tables.length === 0) return inSync();
      const changes = tables.map((field) => ({ field, observed: 'there', desired: undefined }));
      const commands = tables.map((table) => `delete table ${table}`).join('; ');
      const remedy = async (host: Host) => void (await host.run({ file: 'nft', args: [commands] }));
      return { state: 'Drifted', drift: { changes, remedy } };
    },
  };
}

async function k3sTables(host: HostReader): Promise<readonly string[]> {
  const { stdout } = await host.query({ file: 'nft', args: ['list', 'tables'] });
  const tables = [...stdout.matchAll(/^table (\S+ \S+)$/gm)].map(([, table = '']) => table);
  return tables.filter((table) => /^ip6? (kube-proxy|flannel-ipv[46])$/.test(table));
}
