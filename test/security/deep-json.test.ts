import { describe, expect, test } from 'vitest';
import { azureCloud } from '../../src/agent/clouds/azure/azure.ts';
import { clouds } from '../../src/agent/clouds/index.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type { CommandResult, Host, HttpResponse } from '../../src/agent/engine/host.ts';
import { Secret } from '../../src/agent/engine/secret.ts';
import { unavailableControllers } from '../../src/agent/gitops/flux/flux-controllers.ts';
import { fluxObjects } from '../../src/agent/gitops/flux/flux-objects.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { readAnnotations } from '../../src/agent/parts/k3s/node-annotations.ts';
import { nodeReady } from '../../src/agent/parts/k3s/node-ready.ts';
import { parseLogins } from '../../src/agent/parts/registry/answer/logins.ts';
import { requestedServer } from '../../src/agent/parts/registry/answer/request.ts';
import { findImage } from '../../src/agent/parts/registry/oci/registry-manifest.ts';
import { readStatus } from '../../src/agent/report/status.ts';
import { memoryHost } from '../lab/memory-host.ts';
import { aNode } from '../unit/agent/a-node.ts';

/** A nesting depth that makes a recursive function throw a RangeError: the stack has room for some 10,000 levels. */
const depth = 100_000;
const lists = `${'['.repeat(depth)}${']'.repeat(depth)}`;
/**
 * A list of half a million numbers. A schema that collects a fault for each number takes seconds and hundreds of
 * megabytes, and may throw a RangeError.
 */
const numbers = `[${'1,'.repeat(500_000)}1]`;
/** A list just below the limit on commas; the schema of the field rejects each number in the list. */
const allowed = `[${Array(49_980).fill(1)}]`;
const maps = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

const bombs = {
  'nested lists': lists,
  'nested maps': maps,
  'unclosed nested lists': '['.repeat(1_000_000),
  'error fields with nested lists': `{"error":{"code":${lists},"message":${lists}},"errors":[{"message":${lists}}]}`,
  'a secret, a token and a manifest with nested lists': `{"value":${lists},"id":${lists},"access_token":${lists},"refresh_token":${lists},"layers":${lists}}`,
  'a document of the metadata service with nested lists': `{"compute":{"name":"vm","vmId":"1","tagsList":${lists}},"network":${lists}}`,
  'a manifest with long lists': `{"layers":${numbers},"manifests":${numbers},"errors":${numbers},"refresh_token":${numbers}}`,
  'a document of the metadata service with long lists': `{"compute":{"name":"vm","vmId":"1","tagsList":${numbers}},"network":{"interface":${numbers}}}`,
  'a Kubernetes object with long lists': `{"metadata":{"annotations":${numbers}},"status":{"conditions":${numbers}},"spec":{"taints":${numbers}}}`,
  'as many invalid layers as the limit allows': `{"layers":${allowed}}`,
  'as many invalid manifests as the limit allows': `{"manifests":${allowed}}`,
  'as many invalid tags as the limit allows': `{"compute":{"name":"vm","vmId":"1","tagsList":${allowed}}}`,
  'as many invalid conditions as the limit allows': `{"status":{"conditions":${allowed}}}`,
  'as many invalid annotations as the limit allows': `{"metadata":{"annotations":{${Array.from({ length: 49_980 }, (_, at) => `"a${at}":1`)}}}}`,
  'a Kubernetes object with fields of other types':
    '{"metadata":{"generation":"1"},"status":{"conditions":{"type":"Ready"}},"spec":{"taints":7}}',
  'a Kubernetes object with nested lists': `{"metadata":{"annotations":${lists}},"status":{"conditions":${lists}},"spec":{"taints":${lists}}}`,
};

const challenge =
  'Bearer authorization="https://login.microsoftonline.com/72f988bf-0000-4000-8000-000000000000", resource="https://vault.azure.net"';

/** Returns a host on which every request gets this body and status, and the challenge of a Key Vault. */
function answering(body: string, status: number): Host {
  const answer = async (): Promise<HttpResponse> => ({
    status,
    headers: { 'www-authenticate': challenge, 'content-type': 'application/json' },
    body,
  });
  return { ...nodeHost(), get: answer, send: answer };
}

const settings = {
  imdsEndpoint: 'http://169.254.169.254',
  identity: {},
  keyVault: { name: 'team' },
  registryAudience: 'https://containerregistry.azure.net',
};

const session = {
  server: 'team.azurecr.io',
  login: { username: 'u', password: new Secret('p') },
  hints: clouds.azure.hints,
};
const image = { name: 'team.azurecr.io/a:1', server: 'team.azurecr.io', repository: 'a', tag: '1' };

const questions: Readonly<Record<string, (host: Host) => Promise<unknown>>> = {
  identity: (host) => azureCloud({ host, settings, consented: [] }).identity(),
  secret: (host) => azureCloud({ host, settings, consented: [] }).secret('k3s-token'),
  'registry password': (host) =>
    azureCloud({ host, settings, consented: [] }).registryPassword(session.server),
  manifest: (host) => findImage({ ...session, host }, image, 'x64'),
};

function expectGood(error: unknown): void {
  expect(error).toBeInstanceOf(NodeError);
  expect(error).not.toMatchObject({ reason: 'InternalError' });
  expect(String(error).length).toBeLessThan(2_000);
}

describe.each(Object.entries(questions))('a request for the %s', (_, ask) => {
  test.each(Object.entries(bombs))(
    'causes no internal error if the answer is a JSON bomb: %s',
    async (_name, bomb) => {
      for (const status of [200, 401, 403, 500]) {
        const error = await ask(answering(bomb, status)).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        // Only the request for a manifest may succeed: a manifest may be any object with readable layers.
        if (error === undefined) {
          expect([ask, status]).toEqual([questions.manifest, 200]);
        } else {
          expectGood(error);
        }
      }
    },
  );
});

describe.each(Object.entries(bombs))('a JSON bomb (%s)', (_, bomb) => {
  const printed: CommandResult = { exitCode: 0, stdout: bomb, stderr: '' };
  const host: Host = { ...nodeHost(), query: async () => printed };

  const context = {
    ...{
      needs: [],
      k3s: '/usr/local/bin/k3s',
      kubeconfig: '/etc/rancher/k3s/k3s.yaml',
      arch: 'x64' as const,
    },
    ...{ downloadTrace: '/run/download.json', binDir: '/var/lib/slipway/bin', home: '/var/lib/slipway' },
    ...{ bootstrapTrace: '/run/bootstrap.json', scratch: '/var/lib/slipway/bootstrap' },
  };

  test('causes no internal error as the output of kubectl', async () => {
    const node = aNode('agent');
    const answers = [
      nodeReady(node, []).check(host),
      readAnnotations(host, node),
      fluxObjects(host, context),
      unavailableControllers(host, context),
    ];
    for (const answer of await Promise.allSettled(answers)) {
      if (answer.status === 'rejected') {
        expectGood(answer.reason);
      }
    }
  });

  test('is refused in a request from kubelet, and ignored in the login store and status.json', async () => {
    expect(() => requestedServer(bomb)).toThrow(/^the request on stdin/);
    expect(parseLogins(bomb)).toEqual({});
    const files = { '/run/slipway/status.json': bomb };
    expect(await readStatus(memoryHost({ files }), '/run/slipway/status.json')).toBeUndefined();
  });
});
