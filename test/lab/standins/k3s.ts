/**
 * A stand-in for the `k3s` executable: `--version`, `server`, `agent`, `kubectl` (also through a link named kubectl).
 *
 * Models what a node agent can observe of K3s; each file names its source in K3s. The stand-in is as strict as K3s: it
 * exits or waits, with K3s's messages, on unknown flags, wrong tokens and malformed files. The fixed paths of K3s
 * (/etc/rancher, /var/lib/rancher) are below the root whose usr/local/bin contains the executable, so that several
 * nodes can share a machine. Not modelled: containers, images, networking, crictl, ctr.
 */
import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type AgentSettings, joinServer, missingConfiguration, runKubelet } from './k3s-agent.ts';
import { stopEtcd } from './k3s-etcd-process.ts';
import { type K3sCommand, type K3sOptions, readOptions } from './k3s-flags.ts';
import { fatal, log } from './k3s-log.ts';
import { nodeArgs } from './k3s-node-args.ts';
import { runServer } from './k3s-server.ts';
import { snapshotCommand } from './k3s-snapshot-command.ts';
import { readToken } from './k3s-token.ts';
import { kubectl } from './kubectl.ts';

/** The version of K3s; the lab's mirror defines it when it builds a release. */
declare const K3S_VERSION: string | undefined;
const version = typeof K3S_VERSION === 'undefined' ? 'v1.36.3+k3s1' : K3S_VERSION;
const commit = Buffer.from(version).toString('hex').slice(-8);

const executable = process.argv[1] ?? 'k3s';
const root = dirname(dirname(dirname(dirname(executable))));
const [command, ...args] = process.argv.slice(2);

main();

async function main(): Promise<void> {
  if (basename(executable) === 'kubectl') {
    return await exitWith(kubectl(process.argv.slice(2), version, adminConfig()));
  }
  if (command === 'kubectl') {
    return await exitWith(kubectl(args, version, adminConfig()));
  }
  if (command === '--version' || command === '-v') {
    process.stdout.write(`k3s version ${version} (${commit})\ngo version go1.25.5\n`);
  } else if (command === 'server' || command === 'agent') {
    await run(command);
  } else if (command === 'etcd-snapshot') {
    await snapshotCommand(args, join(root, 'var/lib/rancher/k3s'));
  } else if (command === undefined || command === '--help') {
    process.stdout.write('NAME:\n   k3s - Kubernetes, but small and simple\n');
  } else {
    process.stdout.write(`No help topic for '${command}'\n`);
    process.exitCode = 3;
  }
}

async function run(command: K3sCommand): Promise<void> {
  process.on('SIGTERM', () => {
    const missing = missingConfiguration();
    if (missing !== undefined) {
      fatal(`Error: failed to retrieve agent configuration: ${missing}`);
    }
    log('info', 'Shutdown request received: signal: terminated');
    stopEtcd().finally(() => process.exit(0));
  });
  const options = readOptions(command, args, process.env, join(root, 'etc/rancher/k3s/config.yaml'));
  const node = nodeSettings(command, options);
  if (command === 'server') {
    log('info', `Starting k3s ${version} (${commit})`);
    await runServer(options, node);
    ready('k3s is up and running');
    return;
  }
  const token = await readToken(options.text('token'), options.text('token-file'));
  if (token === undefined || token === '') {
    fatal('Error: --token is required');
  }
  if (node.server === '') {
    fatal('Error: --server is required');
  }
  log('info', `Starting k3s agent ${version} (${commit})`);
  const settings = { ...node, token };
  const joined = await joinServer(settings);
  await runKubelet(settings, joined);
  ready('k3s agent is up and running');
}

function nodeSettings(command: K3sCommand, options: K3sOptions): AgentSettings {
  return {
    root,
    dataDir: options.text('data-dir') ?? join(root, 'var/lib/rancher/k3s'),
    server: (options.text('server') ?? '').replace(/\/$/, ''),
    token: '',
    nodeName: (options.text('node-name') ?? hostname()).toLowerCase(),
    nodeIp: options.list('node-ip')[0] ?? '127.0.0.1',
    externalIps: options.list('node-external-ip'),
    labels: options.list('node-label'),
    taints: options.list('node-taint'),
    registries: options.text('private-registry') ?? join(root, 'etc/rancher/k3s/registries.yaml'),
    credentialProvider: {
      binDir:
        options.text('image-credential-provider-bin-dir') ??
        join(root, 'var/lib/rancher/credentialprovider/bin'),
      config:
        options.text('image-credential-provider-config') ??
        join(root, 'var/lib/rancher/credentialprovider/config.yaml'),
    },
    version,
    controlPlane: command === 'server',
    protectKernel: options.yes('protect-kernel-defaults'),
    nodeArgs: nodeArgs(command, options.args),
  };
}

function ready(message: string): void {
  log('info', message);
  if (process.env.NOTIFY_SOCKET) {
    spawnSync('systemd-notify', ['--ready'], { stdio: 'inherit' });
  }
}

function adminConfig(): string {
  return join(root, 'etc/rancher/k3s/k3s.yaml');
}

async function exitWith(code: Promise<number>): Promise<void> {
  process.exitCode = await code;
}
