import type { Command } from '../../src/agent/engine/host.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import { fluxProviders } from '../../src/agent/gitops/flux/providers.ts';
import { serveMemoryApi } from '../lab/memory-api.ts';
import { memoryGit } from '../lab/memory-git.ts';
import { type MemoryHost, memoryHost } from '../lab/memory-host.ts';
import { writeFluxSecret } from '../lab/standins/flux-secret.ts';
import { issue, makeAuthority } from '../lab/standins/k3s-certificates.ts';
import { kubeconfig } from '../lab/standins/k3s-kubeconfig.ts';
import { clusterHost } from '../unit/agent/gitops/argocd/cluster.ts';
import { context } from '../unit/agent/gitops/flux/settings.ts';

const objects = '/api';
const server = 'https://127.0.0.1:6443';
const authority = makeAuthority('k3s-client-ca');
const admin = issue(authority, { commonName: 'system:admin', organization: 'system:masters' });
const kubeconfigText = kubeconfig({ server, ca: authority.certificate, ...admin });

/**
 * Makes a machine that models the API, and the kubectl and flux commands that Slipway runs. `flux bootstrap` accepts
 * only this token.
 */
export function fluxWorld(token: string): MemoryHost {
  const host = memoryHost({ files: { [context.kubeconfig]: kubeconfigText } });
  const api = serveMemoryApi(host, server, {
    [admin.certificate]: { name: 'system:admin', groups: ['system:masters'] },
  });
  return host
    .on({ file: 'k3s', args: /^kubectl .* get / }, kubectl)
    .on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (1a2b3c4d)\n')
    .onDownload(/flux_2\.9\.4_linux_amd64\.tar\.gz$/, 'flux version 2.9.4\n')
    .on({ file: 'flux', args: ['--version'] }, (_, { files }) => {
      const stdout = files.text('/usr/local/bin/flux');
      return stdout === undefined ? { exitCode: 127 } : stdout;
    })
    .on({ file: 'flux', args: (args) => args[0] === 'bootstrap' }, (command, { files }) => {
      if (tokenOf(command) !== token) {
        return { exitCode: 1, stderr: '✗ 401 Bad credentials []' };
      }
      const path = command.args.find((arg) => arg.startsWith('--path='))?.slice('--path='.length);
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } };
      api.objects.put('namespaces', undefined, namespace);
      writeFluxSecret(api.objects, { username: 'git', password: token });
      for (const [kind, object] of Object.entries(bootstrapped(`./${path}`))) {
        files.write(`${objects}/${kind}`, JSON.stringify(object));
      }
      return '';
    });
}

/**
 * Makes a machine with a cluster's API, K3s's helm-controller, and a Git host. The Git repository has only `folder`,
 * and accepts only `token`; without a token, the repository is public.
 */
export function argocdWorld(token: string | undefined, folder: string): MemoryHost {
  const { host, api } = clusterHost();
  api.objects.remove('namespaces', undefined, 'argocd');
  api.git = memoryGit(token, folder);
  return host;
}

function kubectl({ args }: Command, { files }: MemoryHost) {
  const kind = args[args.indexOf('get') + 1];
  const found = files.text(`${objects}/${kind}`);
  return found ?? { exitCode: 1, stderr: `error: the server doesn't have a resource type "${kind}"` };
}

function tokenOf({ env = {} }: Command): string | undefined {
  const variables = Object.values(fluxProviders).map(({ variable }) => variable);
  const given = variables.map((variable) => env[variable]).find((value) => value !== undefined);
  return given === undefined ? undefined : reveal(given);
}

function bootstrapped(path: string) {
  const status = { conditions: [{ type: 'Ready', status: 'True', message: 'done' }] };
  return {
    'gitrepositories.source.toolkit.fluxcd.io': { status },
    'kustomizations.kustomize.toolkit.fluxcd.io': {
      spec: { path },
      status: { ...status, lastAppliedRevision: 'main@sha1:4f2e' },
    },
  };
}
