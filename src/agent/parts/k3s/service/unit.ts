import { join } from 'node:path';
import { metadataAddresses } from '../../../clouds/metadata.ts';
import type { HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { file } from '../../../resources/file.ts';
import { unitLoaded } from '../../../resources/unit.ts';
import { keptNode } from '../config/kept-node.ts';
import { neededAtStart } from '../membership/founding/needed-at-start.ts';

/**
 * Keeps the systemd unit of K3s written and loaded. Another Resource enables the unit, once K3s has everything it
 * needs.
 */
export function unit(node: K3sNode, needs: readonly string[]): readonly Resource[] {
  const name = unitName(node.role.k3s);
  const path = join(node.paths.system.units, name);
  const content = async (host: HostReader) => {
    const kept = await keptNode(host, node);
    return renderUnit(kept, await neededAtStart(host, kept));
  };
  const written = file({ path, content, condition: 'K3sRunning', needs });
  return [written, unitLoaded({ unit: name, path, condition: 'K3sRunning', needs: [written.id] })];
}

/**
 * Renders the unit with the properties that the K3s installer gives its unit (k3s-io/k3s install.sh,
 * create_systemd_service_file). Adds the proxy variables, the runtime directory, and the command that stamps every
 * start. Without the path `needed`, systemd refuses to start K3s; unlike a failed command, this causes no restart.
 */
export function renderUnit(node: K3sNode, needed?: string): string {
  const { root, system, k3s } = node.paths;
  const command = node.role.k3s;
  const directory = (path: string) => unspecified(join(root, path));
  const start = [k3s.binary, command, ...(root === '/' ? [] : ['--config', k3s.config])];
  const environment = Object.entries(proxyEnvironment(node)).map(
    ([name, value]) => `Environment=${quoted(`${name}=${value}`)}`,
  );
  return `# Written by Slipway; changes go to a drop-in: systemctl edit ${unitName(command)}
[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target
${needed === undefined ? '' : asserted(needed)}
[Install]
WantedBy=multi-user.target

[Service]
Type=notify
EnvironmentFile=-${directory('/etc/default')}/%N
EnvironmentFile=-${directory('/etc/sysconfig')}/%N
EnvironmentFile=-${unspecified(join(system.units, `${unitName(command)}.env`))}
${environment.map((line) => `${line}\n`).join('')}KillMode=process
Delegate=yes
User=root
# Having non-zero Limit*s causes performance problems due to accounting overhead
# in the kernel. We recommend using cgroups to do container-local accounting.
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
RuntimeDirectory=slipway-k3s
RuntimeDirectoryMode=0700
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStartPre=-${[node.slipway, 'stamp', '--root', root].map(argument).join(' ')}
ExecStart=${start.map(argument).join(' ')}
`;
}

function asserted(path: string): string {
  return `# Without this path, K3s would found a second cluster. If its disk is missing, mount it; see slipway status.
AssertPathExists=${unspecified(path)}
`;
}

/**
 * Returns the proxy variables for K3s and its containerd (https://docs.k3s.io/advanced#configuring-an-http-proxy);
 * empty if the settings name no proxy. NO_PROXY contains the private ranges, as K3s advises, the metadata services of
 * clouds, the names and networks of pods and services, this node, its server, and network.noProxy.
 */
function proxyEnvironment({ settings, address, server }: K3sNode): Readonly<Record<string, string>> {
  const { proxy, noProxy } = settings.network;
  if (proxy === undefined) {
    return {};
  }
  const { config } = settings.k3s;
  const past = [
    ...['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
    ...metadataAddresses(),
    ...[config['cluster-cidr'] ?? '10.42.0.0/16', config['service-cidr'] ?? '10.43.0.0/16'].flat(),
    ...['.svc', `.${config['cluster-domain'] ?? 'cluster.local'}`, address],
    ...(server === undefined ? [] : [new URL(server).hostname]),
    ...noProxy,
  ];
  return { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: [...new Set(past.map(String))].join(',') };
}

/** Quotes one word of a command line, and escapes `$` so that systemd expands no variables (systemd.service(5)). */
function argument(word: string): string {
  return quoted(word.replaceAll('$', '$$$$'));
}

/** Quotes one word in a unit file (systemd.syntax(7)). */
function quoted(word: string): string {
  const escaped = unspecified(word).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

/** Escapes `%`, which would otherwise begin a specifier (systemd.unit(5)). */
function unspecified(text: string): string {
  return text.replaceAll('%', '%%');
}
