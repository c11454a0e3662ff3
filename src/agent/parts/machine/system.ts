import type { HostReader } from '../../engine/host.ts';
import { compare, type Finding, type Resource } from '../../engine/resource.ts';
import type { K3sNode } from '../../node.ts';
import { file } from '../../resources/file.ts';
import { fileText } from '../../resources/file-text.ts';
import { systemctl } from '../../resources/unit.ts';

/**
 * Keeps the files from which each boot loads the kernel modules and settings that K3s needs, and applies these files to
 * the running kernel.
 */
export function system(node: K3sNode): readonly Resource[] {
  const { modules, sysctl } = node.paths.system;
  const modulesFile = file({ path: modules, content: renderModules(), condition: 'System' });
  const sysctlFile = file({ path: sysctl, content: renderSysctl(node), condition: 'System' });
  return [modulesFile, sysctlFile, ...settingsApplied(node, modulesFile.id, sysctlFile.id)];
}

/**
 * Returns the Resources that apply the files to the running kernel; none if the root is not `/`, since an image has no
 * running kernel.
 */
function settingsApplied(node: K3sNode, modulesFile: string, sysctlFile: string): readonly Resource[] {
  if (node.paths.root !== '/') {
    return [];
  }
  return [modulesApplied(node, modulesFile), sysctlApplied(node, sysctlFile)];
}

function modulesApplied(node: K3sNode, modulesFile: string): Resource {
  const unit = 'systemd-modules-load.service';
  return {
    id: 'Kernel/modules',
    summary: `systemctl restart ${unit}`,
    condition: 'System',
    needs: [modulesFile],
    check: (host) => compareModules(node, host, unit),
  };
}

/** Checks each module by its effect, since modules built into the kernel are not in /proc/modules. */
async function compareModules(node: K3sNode, host: HostReader, unit: string): Promise<Finding> {
  const bridge = await host.readFile('/proc/sys/net/bridge/bridge-nf-call-iptables');
  const filesystems = await fileText(host, '/proc/filesystems');
  return compare(
    { br_netfilter: bridge !== undefined, overlay: /\boverlay$/m.test(filesystems) },
    { br_netfilter: true, overlay: true },
    async (host) => void (await host.run(systemctl('restart', unit))),
    { blocks: protectsKernelDefaults(node) },
  );
}

function sysctlApplied(node: K3sNode, sysctlFile: string): Resource {
  const unit = 'systemd-sysctl.service';
  return {
    id: 'Kernel/sysctl',
    summary: `systemctl restart ${unit}`,
    condition: 'System',
    needs: [sysctlFile, 'Kernel/modules'],
    check: (host) => compareSysctl(node, host, unit),
  };
}

async function compareSysctl(node: K3sNode, host: HostReader, unit: string): Promise<Finding> {
  const wanted = sysctls(node);
  const observed = await Promise.all(wanted.map((setting) => observeSysctl(host, setting)));
  return compare(
    Object.fromEntries(wanted.map(({ key }, at) => [key, observed[at]])),
    Object.fromEntries(wanted.map(({ key, value }) => [key, value])),
    async (host) => void (await host.run(systemctl('restart', unit))),
    { blocks: protectsKernelDefaults(node) },
  );
}

/**
 * Returns the value in the kernel; `undefined` if the kernel lacks the setting. With `atLeast`, returns the wanted
 * value instead of a higher one.
 */
async function observeSysctl(host: HostReader, { key, value, atLeast }: Sysctl): Promise<number | undefined> {
  const found = await host.readFile(`/proc/sys/${key.replaceAll('.', '/')}`);
  if (found === undefined) {
    return undefined;
  }
  const observed = Number(found.content.trim());
  return atLeast && observed > value ? value : observed;
}

export function renderModules(): string {
  return '# Written by Slipway for K3s.\nbr_netfilter\noverlay\n';
}

export function renderSysctl(node: K3sNode): string {
  const lines = sysctls(node).map(({ key, value }) => `${key} = ${value}`);
  return `# Written by Slipway for K3s.\n${lines.join('\n')}\n`;
}

interface Sysctl {
  readonly key: string;
  readonly value: number;
  /** True if a higher value is accepted, because another sysctl file may set it. */
  readonly atLeast?: boolean;
}

function sysctls(node: K3sNode): readonly Sysctl[] {
  return protectsKernelDefaults(node) ? [...forK3s, ...forKubelet] : forK3s;
}

/**
 * True if kubelet does not start unless the kernel has the settings that kubelet wants. If it is false, a difference
 * does not block, since K3s itself loads the modules and turns forwarding on.
 */
function protectsKernelDefaults({ settings }: K3sNode): boolean {
  return String(settings.k3s.config['protect-kernel-defaults']) === 'true';
}

const forK3s: readonly Sysctl[] = [
  { key: 'net.ipv4.ip_forward', value: 1 },
  { key: 'net.bridge.bridge-nf-call-iptables', value: 1 },
  { key: 'net.bridge.bridge-nf-call-ip6tables', value: 1 },
  { key: 'fs.inotify.max_user_instances', value: 1024, atLeast: true },
  { key: 'fs.inotify.max_user_watches', value: 524_288, atLeast: true },
];

/**
 * The kernel settings that kubelet requires with --protect-kernel-defaults (pkg/kubelet/cm, setupKernelTunables;
 * https://docs.k3s.io/security/hardening-guide).
 */
const forKubelet: readonly Sysctl[] = [
  { key: 'vm.panic_on_oom', value: 0 },
  { key: 'vm.overcommit_memory', value: 1 },
  { key: 'kernel.panic', value: 10 },
  { key: 'kernel.panic_on_oops', value: 1 },
  { key: 'kernel.keys.root_maxkeys', value: 1_000_000 },
  { key: 'kernel.keys.root_maxbytes', value: 25_000_000 },
];
