import { expect, onTestFinished, test, vi } from 'vitest';
import { parseRegistries } from '../../src/agent/parts/registry/registries-yaml.ts';
import { readYaml } from '../../src/agent/settings/yaml.ts';
import { endOf, source, startScript } from './process.ts';

const secret = 'hunter2-of-a-0600-file';

test.each([
  ['a password that begins with !', `configs: { r: { auth: { password: !${secret} x } } }`],
  ['a key that is a list', `mirrors: { ? [${secret}] : {} }`],
  ['an unknown tag', `mirrors: !${secret} {}`],
  ['invalid YAML', `a: "${secret}\nb: [`],
])('no library prints the secret in a registries.yaml with %s', (_, content) => {
  const warned = vi.spyOn(process, 'emitWarning');
  const printed = [vi.spyOn(console, 'warn'), vi.spyOn(process.stderr, 'write')];
  onTestFinished(() => void vi.restoreAllMocks());
  parseRegistries(content);
  expect(readYaml(content).faults.join()).not.toContain(secret);
  expect(warned.mock.calls).toEqual([]);
  expect(printed.flatMap(({ mock }) => mock.calls).join()).not.toContain(secret);
});

test('Slipway prints the name of a warning from a library, but not its text', async () => {
  const { stdout, stderr } = await endOf(
    startScript(
      `import { main } from ${JSON.stringify(source('commands/main.ts'))};
       await main([process.execPath, 'slipway', 'version']);
       process.emitWarning(${JSON.stringify(secret)}, 'YAMLWarning');`,
      ['ignore', 'pipe', 'pipe'],
    ),
  );
  expect(stdout + stderr).not.toContain(secret);
  expect(stderr).toContain('slipway: a library warns of something: YAMLWarning');
});
