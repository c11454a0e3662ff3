import { expect, onTestFinished, test, vi } from 'vitest';
import { Composer } from 'yaml';
import { booted, live, type Vm } from './a-vm.ts';

const dropIn = (name: string) => `/etc/rancher/k3s/config.yaml.d/${name}.yaml`;
const layer = (name: string) => `/etc/slipway/config.d/${name}.yaml`;

/**
 * Boots a server with nine files of settings and nine drop-ins of K3s. Returns `parsed`, which makes a change and a
 * pass, and returns how many YAML documents the pass parsed.
 */
async function manyFiles() {
  const { machine, slipway } = await booted('server');
  for (const name of 'abcdefghi') {
    machine.host.files.write(layer(name), `node: { labels: [${name}=1] }\n`);
    machine.host.files.write(dropIn(name), `debug: true # ${name}\n`);
  }
  await live(slipway, machine, 60_000);
  const compose = vi.spyOn(Composer.prototype, 'compose');
  onTestFinished(() => compose.mockRestore());
  async function parsed(change: (files: Vm['host']['files']) => void = () => undefined): Promise<number> {
    change(machine.host.files);
    compose.mockClear();
    await slipway.pass();
    return compose.mock.calls.length;
  }
  return { parsed };
}

test('a pass does not parse unchanged files again', async () => {
  const { parsed } = await manyFiles();
  expect(await parsed()).toBe(0);
});

test.each([
  ['a drop-in of K3s', dropIn('e'), 'debug: true # new'],
  ['a settings file', layer('e'), 'node: { labels: [e=1] } # new'],
])('a pass parses %s once after a change', async (_, path, text) => {
  const { parsed } = await manyFiles();
  expect(await parsed((files) => files.write(path, text))).toBe(1);
  expect(await parsed()).toBe(0);
});

test.each([
  ['a drop-in of K3s', dropIn('e')],
  ['a settings file', layer('0')],
])('a pass parses %s again after the file was removed and then restored', async (_, path) => {
  const { parsed } = await manyFiles();
  const text = 'null # and nothing else';
  expect(await parsed((files) => files.write(path, text))).toBe(1);
  expect(await parsed((files) => files.remove(path))).toBe(0);
  expect(await parsed((files) => files.write(path, text))).toBe(1);
});
