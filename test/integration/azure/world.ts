import { inspect } from 'node:util';
import { expect } from 'vitest';
import { azureCloud } from '../../../src/agent/clouds/azure/azure.ts';
import type { AzureSettings } from '../../../src/agent/clouds/azure/settings.ts';
import type { Cloud } from '../../../src/agent/clouds/cloud.ts';
import type { NodeError } from '../../../src/agent/engine/errors.ts';
import type { Host, HttpRequest } from '../../../src/agent/engine/host.ts';
import type { Reason } from '../../../src/agent/engine/reasons.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { failure } from '../../contract/cloud.ts';
import { type Azure, startAzure } from '../../lab/azure/index.ts';

export const secret = 'canary-of-the-vault';
export const loginServer = 'team.azurecr.io';

/** The divisor of all timeouts while a server hangs, so that a test waits at most a second. */
const haste = 10;

export interface World {
  readonly azure: Azure;
  /** The timeouts of all requests so far in milliseconds, before `haste` shortens them. */
  readonly timeouts: number[];
  cloud(
    settings?: Partial<AzureSettings>,
    network?: { readonly caFile?: string | undefined },
    consented?: readonly string[],
  ): Cloud;
}

/**
 * Starts an emulated Azure with one vault, one registry, and one VM that may read the vault and pull from the registry.
 */
export async function startWorld(): Promise<World> {
  const azure = await startAzure({
    nodes: { server: {} },
    vaults: { team: { 'k3s-token': secret } },
    registries: [loginServer],
    storageAccounts: ['slipwaylab'],
  });
  azure.setRole('server', 'Key Vault Secrets User', 'team.vault.azure.net');
  azure.setRole('server', 'AcrPull', loginServer);
  const timeouts: number[] = [];
  const servers = [azure.node('server'), azure.vault(), azure.registry()];
  const hangs = () => servers.some(({ faults }) => faults.hang);
  const hostWith = (caFile: string | undefined) =>
    hasty(nodeHost({ proxy: azure.proxyUrl, caFile }), timeouts, hangs);
  // Clouds with the usual CA file share this host, since each further instance would read the certificates of this
  // machine again.
  const usualHost = hostWith(azure.caFile);
  return {
    azure,
    timeouts,
    cloud: (settings = {}, { caFile } = { caFile: azure.caFile }, consented = []) =>
      azureCloud({
        consented,
        host: caFile === azure.caFile ? usualHost : hostWith(caFile),
        settings: {
          imdsEndpoint: azure.imdsUrl('server'),
          identity: {},
          keyVault: { name: 'team' },
          registryAudience: 'https://containerregistry.azure.net',
          ...settings,
        },
      }),
  };
}

function hasty(host: Host, timeouts: number[], hangs: () => boolean): Host {
  const hurried = <Request extends HttpRequest>(request: Request): Request => {
    const { timeout = 10_000 } = request;
    timeouts.push(timeout);
    return { ...request, timeout: hangs() ? timeout / haste : timeout };
  };
  return {
    ...host,
    get: (request) => host.get(hurried(request)),
    send: (request) => host.send(hurried(request)),
  };
}

export interface Expected {
  readonly reason: Reason;
  readonly endedBy: NodeError['endedBy'];
  readonly after?: number;
  /** The pattern that the message must match. */
  readonly says?: RegExp;
}

/** Expects the call to fail as described, without a secret or a token in the printed error; returns the error. */
export async function expectFailure(call: Promise<unknown>, expected: Expected): Promise<NodeError> {
  const error = await failure(call);
  const { endedBy, after, says = /./ } = expected;
  expect({ reason: error.reason, endedBy: error.endedBy, retry: error.retry }, error.message).toEqual({
    reason: expected.reason,
    endedBy,
    retry: after === undefined ? {} : { after },
  });
  expect(error.message).toMatch(says);
  expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/canary|eyJ/);
  return error;
}

/** Makes a call; resolves to the number of requests that the call sends to servers whose names start with `server`. */
export async function requestsTo(
  azure: Azure,
  server: string,
  call: () => Promise<unknown>,
): Promise<number> {
  const before = azure.requests.length;
  await call();
  return azure.requests.slice(before).filter((each) => each.server.startsWith(server)).length;
}
