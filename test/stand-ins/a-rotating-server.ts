/** Servers of the stand-in with the steps by which Slipway rotates the join token, and the part of systemd in them. */

import { existsSync } from 'node:fs';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type { Command, Host } from '../../src/agent/engine/host.ts';
import { type Resource, waiting } from '../../src/agent/engine/resource.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import type { K3sNode } from '../../src/agent/node.ts';
import type { Gate } from '../../src/agent/parts/k3s/gate.ts';
import { readRotation, writeRotation } from '../../src/agent/parts/k3s/membership/rotation-record.ts';
import { parseToken, tokenDigest } from '../../src/agent/parts/k3s/membership/token.ts';
import type { RotationNotice, ShownRotation } from '../../src/agent/parts/k3s/rotation/notice.ts';
import { rotationRestart } from '../../src/agent/parts/k3s/rotation/rotation-restart.ts';
import { startRepaired } from '../../src/agent/parts/k3s/rotation/start-repaired.ts';
import { tokenFollowed } from '../../src/agent/parts/k3s/rotation/token-followed.ts';
import { tokenRotated } from '../../src/agent/parts/k3s/rotation/token-rotated.ts';
import { FakeCloud } from '../lab/fake-cloud.ts';
import { aNode } from '../unit/agent/a-node.ts';
import type { StartedServer } from './a-cluster.ts';

export interface RotatingServer {
  readonly server: StartedServer;
  readonly node: K3sNode;
  readonly host: Host;
  /** True while the machine is off, so that another server acts for the cluster. */
  isOff: boolean;
  /** Makes one pass of Slipway. After it, systemd starts a K3s that has ended, unless `restarts` is false. */
  pass(restarts?: boolean): Promise<void>;
  /** Resolves to true once the rotation has ended on this server. */
  isDone(): Promise<boolean>;
}

const [from, to] = ['secret', 'second'].map(digestOf);

function digestOf(text: string): string {
  const token = parseToken(text);
  return token === undefined ? '' : tokenDigest(token);
}

/** Makes two running servers rotate the token `secret` to `second`; the first one acts unless it is off. */
export async function aRotation(
  first: StartedServer,
  second: StartedServer,
): Promise<readonly [RotatingServer, RotatingServer]> {
  const shared: { notice: ShownRotation | undefined } = { notice: undefined };
  const acting = () => (a.isOff ? second.name : first.name);
  const isEverywhere = async () => {
    const texts = await Promise.all(
      [a, b].map(({ host, node }) => host.readFile(node.paths.slipway.joinToken)),
    );
    return [a, b].every(({ isOff }, index) => isOff || texts[index]?.content === 'second\n');
  };
  const gate: Gate = async () => ((await isEverywhere()) ? undefined : waiting('TurnAwaited', 'not yet'));
  const a = rotating(first, second, { shared, acting, gate });
  const b = rotating(second, first, { shared, acting, gate });
  for (const { host, node } of [a, b]) {
    const tokens = { from: 'secret\n', to: 'second\n' };
    await writeRotation(host, node.paths, { from: from ?? '', to: to ?? '', state: 'wanted', tokens });
  }
  return [a, b];
}

interface Cluster {
  readonly shared: { notice: ShownRotation | undefined };
  readonly acting: () => string;
  readonly gate: Gate;
}

function rotating(
  server: StartedServer,
  peer: StartedServer,
  { shared, acting, gate }: Cluster,
): RotatingServer {
  const node = aNode('server', {
    ...{ name: server.name, root: server.root },
    settings: {
      consent: { tokenChange: [to] },
      k3s: { datastore: 'external', peers: [peer.url], config: { 'https-listen-port': server.port } },
    },
  });
  const cloud = new FakeCloud({ secrets: { 'k3s-token': 'secret' } });
  cloud.secrets.set('k3s-token', 'second');
  const notice = noticeIn(shared);
  const unit = unitOf(server);
  const { host } = unit;
  const ports = { copy: async () => undefined, notice, acting: async () => acting() };
  const resources = [
    startRepaired(node, cloud, []),
    ...tokenFollowed(node, { cloud, notice }, []),
    tokenRotated(node, ports, []),
    rotationRestart(node, { gate, notice }, []),
  ];
  return {
    server,
    node,
    host,
    isOff: false,
    async pass(restarts = true) {
      for (const resource of resources) {
        await settled(resource, host);
      }
      await (restarts ? unit.restartIfEnded() : undefined);
    },
    isDone: async () => (await readRotation(host, node.paths))?.state === 'done',
  };
}

async function settled({ check }: Resource, host: Host): Promise<void> {
  try {
    const finding = await check(host);
    await (finding.state === 'Drifted' ? finding.drift.remedy(host) : undefined);
  } catch (thrown) {
    if (!(thrown instanceof NodeError)) {
      throw thrown;
    }
  }
}

/** The unit of K3s: what systemctl and journalctl show of it, and its restarts. */
function unitOf(server: StartedServer): { readonly host: Host; restartIfEnded(): Promise<void> } {
  let starts = 1;
  const hasEnded = () => server.child?.exitCode !== null || server.child.signalCode !== null;
  const values = () => ({
    ActiveState: hasEnded() ? 'activating' : 'active',
    SubState: hasEnded() ? 'auto-restart' : 'running',
    InvocationID: `${server.name}-${starts}`,
    Job: '',
  });
  const again = async () => {
    starts += 1;
    await server.up().catch((error) => expectEnded(server, error));
  };
  const query = async ({ file, args = [] }: Command) => {
    const names = (args.at(-1) ?? '').split(',');
    const shown: Readonly<Record<string, string>> = values();
    const stdout =
      file === 'journalctl' ? server.log() : names.map((name) => `${name}=${shown[name] ?? ''}\n`).join('');
    return { exitCode: 0, stdout, stderr: '' };
  };
  const run = async () => {
    await server.stop();
    await again();
    return { exitCode: 0, stdout: '', stderr: '' };
  };
  return {
    host: { ...nodeHost(), query, run },
    restartIfEnded: async () => (hasEnded() ? again() : undefined),
  };
}

/** Throws the error of a start, unless K3s has ended by itself. */
function expectEnded(server: StartedServer, error: Error): void {
  if (server.child?.exitCode === null || !existsSync(server.root)) {
    throw error;
  }
}

/** The Lease of the cluster. */
function noticeIn(shared: Cluster['shared']): RotationNotice {
  return {
    async shown(_, { name }, wanted) {
      if (shared.notice?.isStored) {
        return waiting('TurnAwaited', 'the servers restart');
      }
      shared.notice = { node: name, ...wanted, isStored: false };
      return undefined;
    },
    read: async () => shared.notice,
    async store() {
      shared.notice = shared.notice && { ...shared.notice, isStored: true };
    },
    async remove() {
      shared.notice = undefined;
    },
  };
}
