import type { Cloud } from '../../../clouds/cloud.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { FoundFile, Host, HostReader } from '../../../engine/host.ts';
import type { Change, Resource } from '../../../engine/resource.ts';
import { Secret } from '../../../engine/secret.ts';
import { forPerson } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { type Currency, credential } from '../../../resources/credential.ts';
import { parseEndpoint } from '../flags/datastore-endpoint.ts';
import { currentSecret } from '../membership/current-secret.ts';
import { isRedacted } from '../membership/fetched-token.ts';
import { verified } from '../membership/join-token.ts';
import { endpointLeft, hasExternalDatastore, requireSameCluster } from './endpoint-change.ts';
import { certificateKeys, readEndpoint, renderEndpoint } from './endpoint-text.ts';

/**
 * Keeps the drop-in from which K3s reads the endpoint of an external datastore, with mode 0600. Fetches the endpoint
 * from the cloud if the file is missing or unusable, and compares it with the vault every datastore.verifyEvery.
 * Without an external datastore, removes the file before K3s has a cluster, and keeps it afterwards.
 *
 * Throws `DatastoreInvalid` for an endpoint or a certificate file with which K3s would not start, and
 * `SettingsIrreversible` for one with which it would start another cluster.
 */
export function endpointFile(node: K3sNode, cloud: Cloud, needs: readonly string[]): Resource {
  const path = node.paths.k3s.datastoreEndpoint;
  if (!hasExternalDatastore(node)) {
    return endpointLeft(node, needs);
  }
  return credential({
    id: 'Credential/datastore-endpoint',
    path,
    summary: `fetch the endpoint of the datastore to ${path}`,
    condition: 'K3sConfig',
    needs,
    pacing: { attempts: node.settings.joinToken.attempts, every: node.settings.joinToken.interval },
    isCurrent: (found, now, host) => judgeEndpoint(host, node, found, now),
    render: (host) => fetchEndpoint(host, node, cloud),
  });
}

async function judgeEndpoint(
  host: HostReader,
  node: K3sNode,
  found: FoundFile,
  now: number,
): Promise<Currency> {
  const { 'datastore-endpoint': endpoint = '', ...others } = readEndpoint(
    found.content,
    node.paths.k3s.datastoreEndpoint,
  );
  if (isRedacted(endpoint)) {
    return { ok: true };
  }
  if (typeof parseEndpoint(endpoint) === 'string') {
    return { ok: false, changes: [{ field: 'endpoint', observed: 'unusable', desired: 'an endpoint' }] };
  }
  await requireCertificates(host, node);
  const changes = differences(others, certificateKeys(node));
  return changes.length > 0
    ? { ok: false, changes }
    : verified(found, now, node.settings.datastore.verifyEvery);
}

function differences(
  observed: Readonly<Record<string, string>>,
  desired: Readonly<Record<string, string>>,
): readonly Change[] {
  return [...new Set([...Object.keys(observed), ...Object.keys(desired)])]
    .filter((field) => observed[field] !== desired[field])
    .map((field) => ({ field, observed: observed[field], desired: desired[field] }));
}

async function fetchEndpoint(host: Host, node: K3sNode, cloud: Cloud): Promise<Secret> {
  const { secretName } = node.settings.datastore;
  const secret = await host.obtain(`the endpoint of the datastore (secret ${secretName})`, () =>
    currentSecret(cloud, secretName),
  );
  if (isRedacted(secret)) {
    return renderEndpoint(node, secret);
  }
  const endpoint = new Secret(secret.reveal().trim());
  const parsed = parseEndpoint(endpoint.reveal());
  if (typeof parsed === 'string') {
    throw invalid(
      `The secret ${secretName} is not an endpoint that K3s can use: it ${parsed}. Store a correct one.`,
    );
  }
  await requireCertificates(host, node);
  await requireSameCluster(host, node, endpoint.reveal());
  return renderEndpoint(node, endpoint);
}

/** Throws `DatastoreInvalid` if a certificate file is missing, since K3s would then not start. */
async function requireCertificates(host: HostReader, node: K3sNode): Promise<void> {
  for (const path of Object.values(certificateKeys(node))) {
    if ((await host.stat(path)) === undefined) {
      throw invalid(
        `${path}, which the section datastore names, does not exist, so K3s could not connect to its datastore. Put the ` +
          'file there, or correct the path.',
      );
    }
  }
}

function invalid(message: string): NodeError {
  return new NodeError('DatastoreInvalid', message, forPerson);
}
