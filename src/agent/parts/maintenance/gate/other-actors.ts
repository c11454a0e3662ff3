import { join } from 'node:path';
import * as z from 'zod/mini';
import type { HostReader } from '../../../engine/host.ts';
import { type Finding, waiting } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import { readApi } from '../../../kubernetes/api.ts';
import { readList } from '../../../kubernetes/lists.ts';
import { listPath, objectPath } from '../../../kubernetes/object-path.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import { fileText } from '../../../resources/file-text.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import type { ApiNode } from '../../k3s/index.ts';

/** Another program that restarts K3s or reboots machines by its own plan. */
export interface Actor {
  /** Its name, as a consent names it. */
  readonly name: string;
  /** What shows that it acts here. */
  readonly sign: string;
}

/**
 * Returns the other programs that may interrupt nodes of this cluster at any time and for which the settings have no
 * consent. Only a server can read the objects of system-upgrade-controller and kured; an agent sees only the marks of
 * kured on its own Node.
 */
export async function otherActors(
  host: HostReader,
  node: K3sNode,
  found: ApiNode,
): Promise<readonly Actor[]> {
  const ofCluster = isServer(node) ? await clusterActors(host, node) : [];
  const all = [...ofCluster, ...kuredMarks(found), ...(await hostActors(host, node))];
  return all.filter(
    ({ name }, at) =>
      !isConsented(node.settings, 'otherActors', name) && all.findIndex((each) => each.name === name) === at,
  );
}

/** Returns the wait while other programs may interrupt nodes. */
export function actorsFinding({ settings }: K3sNode, actors: readonly Actor[]): Finding {
  const names = actors.map(({ name }) => name);
  const signs = actors.map(({ name, sign }) => `${name} (${sign})`).join(', ');
  return waiting(
    'OtherActor',
    `No turn is taken beside another program that may interrupt nodes: ${signs}. Remove it, or, if the two cannot meet, ` +
      `${consentAdvice(settings, 'otherActors', ...names)}.`,
    { ...advisory, after: 60_000 },
  );
}

const named = z.object({ metadata: z.object({ name: z.string() }) });

async function clusterActors(host: HostReader, node: K3sNode): Promise<readonly Actor[]> {
  const access = await nodeAccess(host, node);
  const plans = { apiVersion: 'upgrade.cattle.io/v1', resource: 'plans' };
  const [plan] = await readList(host, access, listPath(plans), named, 'listMetadata');
  const kured = { apiVersion: 'apps/v1', resource: 'daemonsets', namespace: 'kube-system', name: 'kured' };
  const daemonSet = await readApi(host, access, objectPath(kured), named, 'objectMetadata');
  return [
    ...(plan ? [{ name: 'system-upgrade-controller', sign: `its plan ${plan.metadata.name}` }] : []),
    ...(daemonSet ? [{ name: 'kured', sign: 'its DaemonSet in kube-system' }] : []),
  ];
}

/** kured marks the Node that it is about to reboot (kured, --annotate-nodes). */
function kuredMarks({ metadata }: ApiNode): readonly Actor[] {
  const key = 'weave.works/kured-reboot-in-progress';
  return metadata?.annotations?.[key] === undefined ? [] : [{ name: 'kured', sign: `the annotation ${key}` }];
}

async function hostActors(host: HostReader, { paths: { system } }: K3sNode): Promise<readonly Actor[]> {
  const { aptConfig, units } = system;
  const names = (await host.stat(aptConfig)) ? await host.list(aptConfig) : [];
  const texts = await Promise.all(names.map((name) => fileText(host, join(aptConfig, name))));
  const wanted = join(units, 'timers.target.wants');
  const timers = (await host.stat(wanted)) ? await host.list(wanted) : [];
  const timer = timers.find((name) => /ansible.*\.timer$/.test(name));
  return [
    ...(rebootsByItself(texts)
      ? [{ name: 'unattended-upgrades', sign: `Automatic-Reboot "true" in ${aptConfig}` }]
      : []),
    ...(timer === undefined ? [] : [{ name: timer, sign: 'enabled in timers.target' }]),
  ];
}

/**
 * True if unattended-upgrades reboots by itself: later files override earlier ones (apt.conf(5); Debian's
 * 50unattended-upgrades has the line as a comment).
 */
function rebootsByItself(texts: readonly string[]): boolean {
  const values = texts.flatMap((text) =>
    [...text.matchAll(/^\s*Unattended-Upgrade::Automatic-Reboot\s+"?(\w+)"?\s*;/gim)].map(
      ([, value]) => value,
    ),
  );
  return /^(true|yes|on|with|enable|1)$/i.test(values.at(-1) ?? '');
}
