import type { Command } from '../../src/agent/engine/host.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import { type MemoryHost, memoryHost } from '../lab/memory-host.ts';

const objects = '/api';

/**
 * Makes a machine that models the kubectl and flux commands that Slipway runs. Its bootstrap accepts only this token.
 */
export function fluxWorld(token: string): MemoryHost {
  return memoryHost()
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
      for (const [kind, object] of Object.entries(bootstrapped(`./${path}`))) {
        files.write(`${objects}/${kind}`, JSON.stringify(object));
      }
      return '';
    });
}

function kubectl({ args }: Command, { files }: MemoryHost) {
  const kind = args[args.indexOf('get') + 1];
  const found = files.text(`${objects}/${kind}`);
  return found ?? { exitCode: 1, stderr: `error: the server doesn't have a resource type "${kind}"` };
}

function tokenOf({ env = {} }: Command): string | undefined {
  const given = env.GITHUB_TOKEN ?? env.GITLAB_TOKEN ?? env.GIT_PASSWORD;
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
