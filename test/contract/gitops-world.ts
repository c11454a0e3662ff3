import type { Command } from '../../src/agent/engine/host.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import { fluxProviders } from '../../src/agent/gitops/flux/providers.ts';
import { memoryGit } from '../lab/memory-git.ts';
import { type MemoryHost, memoryHost } from '../lab/memory-host.ts';
import { writeFluxSecret } from '../lab/standins/flux-secret.ts';
import { aCluster } from '../unit/agent/a-cluster.ts';
import { clusterHost } from '../unit/agent/gitops/argocd/cluster.ts';
import { applied, fetched, putFlux } from '../unit/agent/gitops/flux/cluster.ts';

/**
 * Makes a machine that models the API, and the flux commands that Slipway runs. `flux bootstrap` accepts
 * only this token.
 */
export function fluxWorld(token: string): MemoryHost {
  const host = memoryHost();
  const api = aCluster(host);
  return host
    .on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (1a2b3c4d)\n')
    .onDownload(/flux_2\.9\.4_linux_amd64\.tar\.gz$/, 'flux version 2.9.4\n')
    .on({ file: 'flux', args: ['--version'] }, (_, { files }) => {
      const stdout = files.text('/usr/local/bin/flux');
      return stdout === undefined ? { exitCode: 127 } : stdout;
    })
    .on({ file: 'flux', args: (args) => args[0] === 'bootstrap' }, (command) => {
      if (tokenOf(command) !== token) {
        return { exitCode: 1, stderr: '✗ 401 Bad credentials []' };
      }
      const path = command.args.find((arg) => arg.startsWith('--path='))?.slice('--path='.length);
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } };
      api.objects.put('namespaces', undefined, namespace);
      writeFluxSecret(api.objects, { username: 'git', password: token });
      putFlux(api, { source: fetched, sync: applied(`./${path}`) });
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

function tokenOf({ env = {} }: Command): string | undefined {
  const variables = Object.values(fluxProviders).map(({ variable }) => variable);
  const given = variables.map((variable) => env[variable]).find((value) => value !== undefined);
  return given === undefined ? undefined : reveal(given);
}
