import { join } from 'node:path';
import type { HostReader } from '../../../engine/host.ts';
import { unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { hasEndpoint, readEndpoint } from '../config/endpoint-text.ts';
import { unpinnedToken } from '../membership/ca-pin.ts';
import { clusterOnDisk } from '../membership/founding/disk.ts';
import { agentTokenPath } from '../membership/token-paths.ts';
import { installedVersion } from '../upgrade/release.ts';
import type { StartInput, StartNote, StartNotes } from './start-sources.ts';

/**
 * The configuration and the release of K3s. Drop-ins in config.yaml.d are left out, because the operator who edits them
 * decides when K3s restarts.
 */
export const programInputs: readonly StartInput[] = [
  { name: 'config', text: configInput },
  { name: 'version', text: namedVersion },
];

/** The server that config.yaml names at a start of K3s. */
export const serverNote: StartNote = {
  name: 'server',
  read: async (host, { k3s }) => serverLine.exec(await fileText(host, k3s.config))?.[1],
};

/** The line with which `configFile` writes the server to join. */
const serverLine = /^server: "([^"\n]*)"$/m;

/**
 * Returns config.yaml. On a server with etcd on its disk, the text has the server that it had at the start: a running
 * K3s does not ask that server any more, so another one in its place does not cause a restart.
 */
async function configInput(host: HostReader, paths: NodePaths, { server }: StartNotes): Promise<string> {
  const text = await fileText(host, paths.k3s.config);
  const isMember = typeof server === 'string' && (await clusterOnDisk(host, paths)) === 'etcd';
  return isMember ? text.replace(serverLine, () => `server: "${server}"`) : text;
}

/** The environment that the unit gives K3s, the endpoint of an external datastore, and the join tokens. */
export const accessInputs: readonly StartInput[] = [
  { name: 'environment', text: environment },
  {
    name: 'joinToken',
    text: async (host, { slipway }) => (await fileText(host, slipway.joinToken)).trim(),
    // The CA of the joined cluster may have been pinned in the token file since the start.
    formerly: async (host, { slipway, k3s }) =>
      unpinnedToken(await fileText(host, slipway.joinToken), await fileText(host, k3s.agentServerCa)),
    onlyWhileStarting: true,
  },
  {
    name: 'datastoreEndpoint',
    text: (host, { k3s }) => endpointInput(host, k3s.datastoreEndpoint),
    // Without a usable endpoint, K3s would begin an empty cluster on its disk.
    isFit: async (host, { paths: { k3s } }) =>
      hasEndpoint(await fileText(host, k3s.datastoreEndpoint), k3s.datastoreEndpoint),
  },
  { name: 'agentToken', text: async (host, paths) => (await fileText(host, agentTokenPath(paths))).trim() },
];

/**
 * Returns the installed release; `undefined` if K3s is missing or does not report its release. K3s is not restarted
 * because of an unknown release.
 */
export function namedVersion(host: HostReader, paths: NodePaths): Promise<string | undefined> {
  return installedVersion(host, paths).catch(() => undefined);
}

/** Returns the drop-in with the endpoint, and the certificate files that it names. */
async function endpointInput(host: HostReader, path: string): Promise<string> {
  const text = await fileText(host, path);
  const certificates = Object.entries(readEndpoint(text, path)).filter(([key]) => key.endsWith('file'));
  const contents = await Promise.all(certificates.map(([, file]) => fileText(host, file)));
  return [text, ...contents].join('\0');
}

async function environment(host: HostReader, { system }: NodePaths): Promise<string> {
  const units = await Promise.all(
    (['server', 'agent'] as const).map((command) => host.readFile(join(system.units, unitName(command)))),
  );
  return units.flatMap((unit) => unit?.content.match(/^Environment=.*$/gm) ?? []).join('\n');
}
