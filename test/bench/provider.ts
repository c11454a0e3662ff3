/**
 * Measures kubelet's credential provider, called as kubelet calls it: with a request on stdin and an answer on stdout.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import { provenImage } from '../lab/lab.ts';
import { interleaved, type Row, type Sample } from './measure.ts';
import type { World } from './world.ts';

const apiVersion = 'credentialprovider.kubelet.k8s.io/v1';
const request = JSON.stringify({ kind: 'CredentialProviderRequest', apiVersion, image: provenImage });

export async function provider(world: World, runs: number): Promise<readonly Row[]> {
  const node = world.lab.node('agent');
  const directory = join(node.root, 'var/lib/rancher/credentialprovider');
  const store = join(node.root, 'var/lib/slipway/logins.json');
  const [{ name, args }] = parse(node.read('var/lib/rancher/credentialprovider/config.yaml') ?? '').providers;
  const plugin = [join(directory, 'bin', name), ...args];
  return interleaved('credential provider', runs, [
    { name: 'node -e 0', run: () => answered([process.execPath, '-e', '0']) },
    { name: 'slipway, from its store', run: () => answeredWith(plugin, existsSync(store)) },
    {
      name: 'slipway, with no store',
      run: () => {
        rmSync(store, { force: true });
        return answeredWith(plugin, true);
      },
    },
  ]);
}

async function answeredWith(command: readonly string[], isReady: boolean): Promise<Sample> {
  if (!isReady) {
    throw new Error('the daemon left no login for its credential provider');
  }
  return answered(command, ({ kind }) => kind === 'CredentialProviderResponse');
}

/**
 * Measures a command until it has exited, as kubelet waits for it. Rejects if the command fails or `isAnswer` rejects
 * its output.
 */
async function answered(
  [file = '', ...args]: readonly string[],
  isAnswer: (answer: { readonly kind?: string }) => boolean = () => true,
): Promise<Sample> {
  const begun = performance.now();
  const child = spawn(file, args, { env: { PATH: '/usr/bin:/bin' }, stdio: 'pipe' });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  // A process may exit before it has read its input.
  child.stdin.on('error', () => {}).end(request);
  const [exitCode] = await once(child, 'exit');
  const wall = performance.now() - begun;
  const [answer, complaint] = await said;
  if (exitCode === 0 && isAnswer(JSON.parse(answer || '{}'))) {
    return { wall };
  }
  throw new Error(`${file} ended with ${exitCode}: ${complaint}`);
}
