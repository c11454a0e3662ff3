import { expect, test } from 'vitest';
import { endOf, source, startScript } from './process.ts';

/**
 * A script that makes three passes of Slipway on a simulated VM, and searches its own heap after each pass for the
 * secrets that the VM's files have contained. The script keeps the secrets only as bytes, which a heap snapshot does
 * not show.
 */
const script = `
import { randomBytes } from 'node:crypto';
import { getHeapSnapshot } from 'node:v8';
const { booted } = await import(${JSON.stringify(source('../test/scenario/a-vm.ts'))});

const settings = '/etc/slipway/config.d/login.yaml';
const dropIn = '/etc/rancher/k3s/config.yaml.d/login.yaml';
const texts = {
  [settings]: (secret) => 'registries: { configs: { other.io: { auth: { username: u, password: ' + secret + ' } } } }',
  [dropIn]: (secret) => 'etcd-s3-secret-key: ' + secret,
};
const made = [];
const { machine, slipway } = await booted('server');

function write(path) {
  const bytes = Buffer.from('x' + randomBytes(16).toString('hex'));
  made.push({ path, bytes });
  machine.host.files.write(path, texts[path](bytes.toString()), 0o600);
}

async function inHeap() {
  const chunks = [];
  for await (const chunk of getHeapSnapshot()) chunks.push(chunk);
  const heap = Buffer.concat(chunks);
  return made.map(({ bytes }) => heap.includes(bytes));
}

const found = [];
async function pass() {
  await slipway.pass();
  // Events contain the settings of their pass, including secrets, and would keep the secrets in the heap.
  machine.events.length = 0;
  found.push(await inHeap());
}

for (const path of Object.keys(texts)) write(path);
await pass();
for (const path of Object.keys(texts)) write(path);
await pass();
for (const path of Object.keys(texts)) machine.host.files.remove(path);
await pass();
console.log(JSON.stringify(found));
`;

test('a secret is no longer in the memory of the daemon once its file is replaced or removed', async () => {
  const { stdout, stderr } = await endOf(startScript(script, ['ignore', 'pipe', 'pipe']));
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([
    [true, true],
    [false, false, true, true],
    [false, false, false, false],
  ]);
});
