import { inspect } from 'node:util';
import { expect } from 'vitest';
import type { Cloud } from '../../../src/agent/clouds/cloud.ts';
import { oracleCloud } from '../../../src/agent/clouds/oracle/oracle.ts';
import { type OracleSettings, oracleSettings } from '../../../src/agent/clouds/oracle/settings.ts';
import type { NodeError } from '../../../src/agent/engine/errors.ts';
import type { Host, HttpRequest } from '../../../src/agent/engine/host.ts';
import type { Reason } from '../../../src/agent/engine/reasons.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { failure } from '../../contract/cloud.ts';
import { type Oracle, startOracle } from '../../lab/oracle/index.ts';
import { readRepos } from '../../lab/oracle/registry.ts';
import { readSecret } from '../../lab/oracle/vault.ts';

export const secret = 'canary-of-the-vault';
export const loginServer = 'fra.ocir.io';

export interface World {
  readonly oracle: Oracle;
  readonly host: Host;
  /** The milliseconds by which the VM's clock is ahead of the real clock. */
  ahead: number;
  /** The milliseconds by which the VM's monotonic clock is ahead of the real one. */
  elapsed: number;
  cloud(settings?: Partial<OracleSettings>): Cloud;
}

/**
 * Starts an emulated Oracle Cloud with one vault, one registry, and one VM that may read the secret and pull images.
 */
export async function startWorld(): Promise<World> {
  const oracle = await startOracle({
    nodes: { server: {} },
    secrets: { 'k3s-token': secret },
    registries: [loginServer],
  });
  oracle.permit('server', readSecret('k3s-token'));
  oracle.permit('server', readRepos);
  const real = nodeHost({ proxy: oracle.proxyUrl, caFile: oracle.caFile });
  const brief = <Request extends HttpRequest>(request: Request): Request => ({ ...request, timeout: 100 });
  const hangs = () => Object.values(oracle.faults).some(({ hang }) => hang);
  const host: Host = {
    ...real,
    send: (request) => real.send(hangs() ? brief(request) : request),
    now: () => real.now() + world.ahead,
    monotonic: () => real.monotonic() + world.elapsed,
  };
  const world: World = {
    oracle,
    host,
    ahead: 0,
    elapsed: 0,
    cloud: (settings = {}) =>
      oracleCloud({
        host,
        machine: {
          hostname: 'unused',
          addresses: () => [],
          credentials: '/run/credentials/slipway.service',
        },
        settings: {
          ...oracleSettings.defaults,
          imdsEndpoint: oracle.node('server').url,
          vault: { id: oracle.vault.id },
          ...settings,
        },
      }),
  };
  return world;
}

export interface Expected {
  readonly reason: Reason;
  readonly endedBy?: NodeError['endedBy'];
  readonly after?: number;
  /** The pattern that the message must match. */
  readonly says?: RegExp;
}

/** Expects a call to fail as described, without a secret, a token or a key in the printed error. */
export async function expectFailure(call: Promise<unknown>, expected: Expected): Promise<void> {
  const error = await failure(call);
  const { reason, endedBy = 'time', after, says = /./ } = expected;
  expect({ reason: error.reason, endedBy: error.endedBy, retry: error.retry }, error.message).toEqual({
    reason,
    endedBy,
    retry: after === undefined ? {} : { after },
  });
  expect(error.message).toMatch(says);
  expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/canary|eyJ|PRIVATE/);
}
