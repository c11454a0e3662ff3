/**
 * The part of kubelet that the cluster sees: its registration, its Ready condition, its heartbeat.
 *
 * Models kubelet's registration (labels applied at every start of K3s, taints at the first registration only), the
 * taints of a node until the cloud controller and the node lifecycle controller have seen it, and kubelet's refusal to
 * run with reserved labels (cmd/kubelet/app/options) or a broken credential provider (pkg/credentialprovider/plugin).
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { registeredProviders } from '../kubelet.ts';
import type { AgentSettings, Joined } from './k3s-agent.ts';
import { exchange } from './k3s-http.ts';
import { refuseKernelSettings } from './k3s-kernel.ts';
import { fatal, klogFatal, kubeletExited, log } from './k3s-log.ts';
import type { ApiObject } from './k3s-objects.ts';

/**
 * Registers the node in the background, and renews its status until the process ends. Exits with the error of kubelet
 * or K3s for a reserved label, a broken credential provider, a wrong kernel setting if kubelet protects these settings,
 * or an invalid taint of a new node.
 */
export async function registerNode(settings: AgentSettings, joined: Joined): Promise<void> {
  refuseForeignLabels(settings.labels);
  refuseBrokenProvider(settings.credentialProvider);
  if (settings.protectKernel) {
    refuseKernelSettings(join(settings.root, 'proc/sys'));
  }
  void (async () => {
    for (let attempt = 0; ; attempt += 1) {
      await reportStatus(settings, joined, attempt > 0).catch((error) =>
        log('error', `Error updating node status: ${error instanceof Error ? error.message : error}`),
      );
      await sleep(attempt === 0 ? 300 : 5_000);
    }
  })();
}

/**
 * Writes the Node; retries at once if the Node has changed in the meantime, as kubelet does. Throws if the server does
 * not show the Node, because only a Node that does not exist may be made anew.
 */
async function reportStatus(settings: AgentSettings, joined: Joined, ready: boolean): Promise<void> {
  const url = `${joined.server}/objects/nodes/_/${settings.nodeName}`;
  for (;;) {
    const before = await exchange({ ...joined, anyName: true, url });
    if (![200, 404].includes(before.status)) {
      throw new Error(`error getting node "${settings.nodeName}": ${before.status} ${before.body.trim()}`);
    }
    const known: ApiObject | undefined = before.status === 200 ? JSON.parse(before.body) : undefined;
    if (known === undefined) {
      log('info', `Successfully registered node ${settings.nodeName}`);
    }
    const body = JSON.stringify(nodeObject(settings, known, ready));
    const { status } = await exchange({ ...joined, anyName: true, url, method: 'PUT', body });
    if (status !== 409) {
      return;
    }
  }
}

/** Returns the Node to write, based on the existing Node `known`; `ready` is true once the container network is up. */
function nodeObject(settings: AgentSettings, known: ApiObject | undefined, ready: boolean): ApiObject {
  const taints = known === undefined ? registrationTaints(settings) : Object(known.spec).taints;
  const kept = ((taints ?? []) as Taint[]).filter((taint) => !ready || !startUpTaints.includes(taint.key));
  const [before, ...others] = Object(known?.status).conditions ?? [];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...known?.metadata,
      name: settings.nodeName,
      labels: { ...Object(known?.metadata.labels), ...ownLabels(settings) },
      annotations: {
        ...Object(known?.metadata.annotations),
        'k3s.io/hostname': settings.nodeName,
        'k3s.io/internal-ip': settings.nodeIp,
        'k3s.io/node-args': settings.nodeArgs,
        ...settings.roleAnnotations,
      },
    },
    spec: {
      ...Object(known?.spec),
      providerID: `k3s://${settings.nodeName}`,
      ...(kept.length === 0 ? { taints: undefined } : { taints: kept }),
    },
    status: {
      addresses: [
        { type: 'InternalIP', address: settings.nodeIp },
        ...settings.externalIps.map((address) => ({ type: 'ExternalIP', address })),
        { type: 'Hostname', address: settings.nodeName },
      ],
      conditions: [readyCondition(ready, before), ...others],
      nodeInfo: {
        kubeletVersion: settings.version,
        operatingSystem: 'linux',
        architecture: process.arch === 'x64' ? 'amd64' : process.arch,
        containerRuntimeVersion: 'containerd://2.1.5-k3s1',
      },
    },
  };
}

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

const startUpTaints = ['node.kubernetes.io/not-ready', 'node.cloudprovider.kubernetes.io/uninitialized'];

function registrationTaints(settings: AgentSettings): Taint[] {
  const asked = settings.taints.map((text): Taint => {
    const [, key, value, effect] =
      /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(text) ?? [];
    if (key === undefined || effect === undefined) {
      fatal(`Error: invalid taint spec: ${text}`);
    }
    return { key, ...(value ? { value } : {}), effect };
  });
  return [...startUpTaints.map((key) => ({ key, effect: 'NoSchedule' })), ...asked];
}

function ownLabels(settings: AgentSettings): Record<string, string> {
  const asked = settings.labels.map((label) => {
    const [key = '', ...value] = label.split('=');
    return [key, value.join('=')];
  });
  return {
    'kubernetes.io/hostname': settings.nodeName,
    'kubernetes.io/os': 'linux',
    'node.kubernetes.io/instance-type': 'k3s',
    ...(settings.controlPlane ? { 'node-role.kubernetes.io/control-plane': 'true' } : {}),
    ...settings.roleLabels,
    ...Object.fromEntries(asked),
  };
}

function readyCondition(ready: boolean, before: { status: string; lastTransitionTime: string } | undefined) {
  const status = ready ? 'True' : 'False';
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const message = ready
    ? 'kubelet is posting ready status'
    : 'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized';
  return {
    type: 'Ready',
    status,
    reason: ready ? 'KubeletReady' : 'KubeletNotReady',
    message,
    lastHeartbeatTime: now,
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
  };
}

function refuseForeignLabels(labels: readonly string[]): void {
  const foreign = labels
    .map((label) => label.split('=')[0] ?? '')
    .filter((key) => /(^|\.)(kubernetes|k8s)\.io\//.test(key))
    .filter((key) => !/(^|\.)(kubelet|node)\.kubernetes\.io\//.test(key) && !allowedLabels.includes(key));
  if (foreign.length === 0) {
    return;
  }
  kubeletExited(
    `failed to validate kubelet flags: unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: [${foreign.join(' ')}]`,
  );
}

const allowedLabels = [
  'kubernetes.io/arch',
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
];

/**
 * Exits with kubelet's error for a broken credential provider. Ignores a missing folder of plugins or configuration,
 * because K3s then passes no provider to kubelet (pkg/daemons/agent/agent.go).
 */
function refuseBrokenProvider(provider: AgentSettings['credentialProvider']): void {
  const [folder, config] = [provider.binDir, provider.config].map((path) =>
    statSync(path, { throwIfNoEntry: false }),
  );
  if (!folder?.isDirectory() || !config || config.isDirectory()) {
    return;
  }
  try {
    registeredProviders(provider);
  } catch (error) {
    const [message = '', ...why] = (error instanceof Error ? error.message : String(error)).split(': ');
    klogFatal(message, why.join(': '));
  }
}
