import { stamp } from '../../../src/agent/parts/index.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { beside } from '../../lab/beside.ts';
import { type MemoryHost, memoryHost } from '../../lab/memory-host.ts';
import { memoryRegistry } from '../../lab/memory-registry.ts';
import { issue, makeAuthority } from '../../lab/standins/k3s-certificates.ts';
import { putNode, serveCluster, writeKubeconfigs } from './a-cluster.ts';
import { aCa } from './parts/k3s/membership/certificates.ts';

export const server = 'https://10.0.0.4:6443';
export const registry = 'myteam.azurecr.io';
const paths = nodePaths('/');
const ca = aCa();
const serving = issue(makeAuthority('k3s-server-ca'), { commonName: 'k3s' });

/**
 * Returns a bare machine on which K3s can be installed, with models of systemd, a release server and a K3s server.
 * `log` gets an entry, `start` or `restart`, for each start of K3s.
 */
export function aMachine(command: 'server' | 'agent'): { readonly host: MemoryHost; readonly log: string[] } {
  const unit = command === 'server' ? 'k3s.service' : 'k3s-agent.service';
  const log: string[] = [];
  const host = memoryHost();
  let [running, invocation, loaded] = [false, 0, ''];
  const text = (path: string) => (host.files.stat(path) ? (host.files.read(path)?.content ?? '') : '');
  const unitText = () => text(`/etc/systemd/system/${unit}`);

  kernel(host);
  memoryRegistry(host, registry);
  const api = serveCluster(host);
  api.isUp = () => running;
  putNode(api, { status: { conditions: [{ type: 'Ready', status: 'True' }] } });
  host.onPeer('https://127.0.0.1:6443', serving.certificate);
  host.onDownload(/\/k3s$/, 'v1.36.3+k3s1');
  host.on({ file: 'k3s', args: ['--version'] }, () => {
    const version = text(paths.k3s.binary);
    return version === '' ? { exitCode: 127 } : `k3s version ${version} (1a2b3c4d)\n`;
  });
  host.on({ file: 'systemctl', args: /^show k3s/ }, () =>
    [
      `FragmentPath=${loaded === '' ? '' : `/etc/systemd/system/${unit}`}`,
      `NeedDaemonReload=${loaded === unitText() ? 'no' : 'yes'}`,
      `UnitFileState=${host.files.stat('/enabled') ? 'enabled' : 'disabled'}`,
      `ActiveState=${running ? 'active' : 'inactive'}`,
      `InvocationID=${running ? `i${invocation}` : ''}`,
    ].join('\n'),
  );
  host.on({ file: 'systemctl', args: /^show refresh-acr-credentials/ }, 'FragmentPath=\n\nFragmentPath=\n');
  host.on({ file: 'systemctl', args: ['daemon-reload'] }, () => {
    loaded = unitText();
    return '';
  });
  host.on({ file: 'systemctl', args: ['enable', unit] }, () => {
    host.files.write('/enabled', '');
    return '';
  });
  host.on({ file: 'systemctl', args: /^(start|restart) --no-block k3s/ }, async ({ args }) => {
    log.push(String(args[0]));
    running = true;
    invocation += 1;
    await start(host, command, `i${invocation}`);
    return '';
  });
  host.onGet(`${server}/ping`, 'pong').onGet(`${server}/cacerts`, ca).onGet(`${server}/v1-k3s/readyz`, 'ok');
  host.onGet(`${server}/static/slipway/release.json`, { status: 404 });
  return { host, log };
}

function kernel(host: MemoryHost): void {
  host.on({ file: 'systemctl', args: /^restart systemd-/ }, () => {
    host.files.write('/proc/filesystems', 'nodev\toverlay\n');
    for (const key of [
      'ipv4/ip_forward',
      'bridge/bridge-nf-call-iptables',
      'bridge/bridge-nf-call-ip6tables',
    ]) {
      host.files.write(`/proc/sys/net/${key}`, '1\n');
    }
    host.files.write('/proc/sys/fs/inotify/max_user_instances', '1024\n');
    host.files.write('/proc/sys/fs/inotify/max_user_watches', '524288\n');
    return '';
  });
}

/**
 * Models a start of K3s: makes the changes that the unit and K3s make. These changes do not count as mutations by
 * Slipway.
 */
async function start(host: MemoryHost, command: 'server' | 'agent', invocationId: string): Promise<void> {
  await stamp(beside(host), paths, { invocationId });
  writeKubeconfigs(host);
  if (command === 'agent') {
    host.files.write(paths.k3s.agentServerCa, ca);
  } else {
    host.files.write(paths.k3s.serverToken, `K10${'a'.repeat(64)}::server:swordfish\n`);
  }
}
