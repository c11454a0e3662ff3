import { randomUUID } from 'node:crypto';
import { assignmentOf, isOn } from '../controls.ts';
import type { LabNode } from '../node.ts';
import { servedWithin, startServersLab } from '../servers.ts';
import type { Platform } from './platform.ts';

/** Returns a platform with this number of servers, which share a real etcd, and an agent, on an emulated Azure. */
export function servers(count: number): Platform {
  return {
    name: 'servers',
    summary: `An emulated Azure with ${count} servers on a real etcd, a load balancer and an agent; the first server waits five minutes for others before it founds the cluster`,
    joinedBy: [],
    next: 'To lose servers, follow docs/usage/lost-servers.md.',
    async start(options) {
      const lab = await startServersLab(count, options);
      return {
        lab,
        readyWithin: servedWithin,
        controls: {
          async power([name = '', state]) {
            const node = lab.node(name);
            if (isOn(state, 'on', 'off')) {
              await node.boot();
              node.start();
            } else {
              await node.powerOff();
            }
            return `${name} is ${state}`;
          },
          async recreate([name = '']) {
            const node = lab.node(name);
            lab.cloud.node(name).vm.vmId = randomUUID();
            await node.recreate();
            return `${name} is a new VM with an empty disk`;
          },
          tag([name = '', assignment]) {
            const { name: tag, value } = assignmentOf(assignment);
            lab.cloud.node(name).vm.tags[tag] = value;
            return `vm-${name} has the tag ${tag}=${value}`;
          },
        },
        async show(say) {
          const nodes = await nodesOf(lab.node('server-1'));
          say('The nodes of the cluster, and whether they vote in etcd:\n');
          for (const { name, isReady, votes } of nodes) {
            say(`    ${name.padEnd(14)} ${isReady ? 'Ready' : 'not Ready'}${votes ? ', votes' : ''}`);
          }
          say('');
        },
      };
    },
  };
}

/** A Node of the cluster. */
export interface ClusterNode {
  readonly name: string;
  readonly isReady: boolean;
  /** True if the Node is a server whose member of etcd votes. */
  readonly votes: boolean;
}

/** Resolves to the Nodes that a server shows, by name; rejects with the error of kubectl. */
export async function nodesOf(server: LabNode): Promise<readonly ClusterNode[]> {
  const { exitCode, stdout, stderr } = await server.run('k3s', 'kubectl', 'get', 'nodes', '-o', 'json');
  if (exitCode !== 0) {
    throw new Error(stderr);
  }
  const items: readonly NodeObject[] = JSON.parse(stdout).items;
  return items.map(({ metadata: { name }, status: { conditions } }) => {
    const isTrue = (wanted: string) =>
      conditions.some(({ type, status }) => type === wanted && status === 'True');
    return { name, isReady: isTrue('Ready'), votes: isTrue('EtcdIsVoter') };
  });
}

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
  };
}
