/** Measures a credential rotation by the running daemon of a joined agent, and by a script. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { parseLogins } from '../../src/agent/parts/registry/answer/logins.ts';
import { renderLogins } from '../../src/agent/parts/registry/login-store.ts';
import { loginServer, provenImage } from '../lab/lab.ts';
import type { LabNode } from '../lab/node.ts';
import { arrival, until } from './files.ts';
import { type Contender, interleaved, type Row, type Sample } from './measure.ts';
import { cpuOf, timed } from './processes.ts';
import type { World } from './world.ts';

const hour = 3_600_000;
const registries = 'etc/rancher/k3s/registries.yaml';
const store = 'var/lib/slipway/logins.json';

export function rotation(world: World, runs: number): Promise<readonly Row[]> {
  const node = world.lab.node('agent');
  // Identity tokens expire before the next rotation, so that each rotation requests one, as the script does.
  world.lab.azure.entra.tokenLifetime = 60_000;
  const script = join(import.meta.dirname, 'rotation.sh');
  const env = { PATH: '/usr/bin:/bin', ...world.scriptEnvironment, OUT: join(world.dir, 'registries.yaml') };
  return interleaved('rotation', runs, [
    inDaemon('slipway', world, node, []),
    inDaemon('slipway, proven by a pull', world, node, [provenImage]),
    { name: 'curl and jq', run: () => timed([script], env) },
  ]);
}

/**
 * Returns a contender that rotates in the daemon. `wall` is the time from the first request until the new file exists.
 * `CPU of a pass` is the processor time of one pass that changes nothing. `CPU` is the processor time of the daemon
 * from waking to sleeping, less two such passes: one found the credential due, the other verified the rotation.
 */
function inDaemon(name: string, world: World, node: LabNode, proof: readonly string[]): Contender {
  return {
    name,
    async run(): Promise<Sample> {
      configure(node, proof);
      await pass(node);
      const idle = await cpu(node, () => pass(node));
      makeDue(node);
      const wall = fromFirstRequest(world, arrival(join(node.root, registries)));
      const rotated = await cpu(node, () => pass(node));
      return { wall: await wall, CPU: rotated - 2 * idle, 'CPU of a pass': idle };
    },
  };
}

/** Sets the images that prove a pull after a rotation; without images, only the login is proven. */
export function configure(node: LabNode, proof: readonly string[]): void {
  const settings = parse(node.read('etc/slipway/config.yaml') ?? '');
  settings.registries = { servers: [loginServer], proof };
  node.write('etc/slipway/config.yaml', stringify(settings), 0o600);
}

/** Marks the credential as received three hours earlier. */
function makeDue(node: LabNode): void {
  const old = Object.entries(parseLogins(node.read(store) ?? '')).map(([server, login]) => [
    server,
    { ...login, receivedAt: login.receivedAt - 3 * hour },
  ]);
  node.write(store, renderLogins(Object.fromEntries(old)).reveal(), 0o600);
}

/** Wakes the daemon; resolves when it sleeps again and has nothing left to verify. */
async function pass(node: LabNode): Promise<void> {
  const before = node.lookedAt;
  const asleep = until(join(node.root, 'run/slipway'), () => {
    const { updated, nextPass } = JSON.parse(
      readFileSync(join(node.root, 'run/slipway/status.json'), 'utf8'),
    );
    return Date.parse(updated) > before && !nextPass.because.startsWith('verify');
  });
  node.signal('SIGHUP');
  await asleep;
}

async function cpu(node: LabNode, work: () => Promise<void>): Promise<number> {
  const { pid = 0 } = node;
  const before = cpuOf(pid);
  await work();
  return cpuOf(pid) - before;
}

/** Resolves to the milliseconds from the next request for an identity token or a password until `end` resolves. */
async function fromFirstRequest({ lab }: World, end: Promise<void>): Promise<number> {
  const { requests } = lab.azure;
  const seen = requests.length;
  let first: number | undefined;
  const look = setInterval(() => {
    first ??= requests
      .slice(seen)
      .some(({ path }) => path.startsWith('/metadata/identity') || path === '/oauth2/exchange')
      ? performance.now()
      : undefined;
  }, 1);
  await end;
  clearInterval(look);
  return performance.now() - (first ?? Number.NaN);
}
