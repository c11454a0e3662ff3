import { mkdir, writeFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { compose } from '../../../src/commands/compose.ts';
import { rootWith } from '../../security/process.ts';

const settings = {
  cloud: 'static',
  role: 'server',
  static: { secrets: { 'k3s-token': 'credential:token' } },
};

test.each([
  ['that its environment names', '/elsewhere', true],
  ['of slipway.service if its environment names none', '/run/credentials/slipway.service', false],
])('a process reads systemd credentials from the directory %s', async (_name, folder, isNamed) => {
  const root = await rootWith(settings);
  await mkdir(`${root}${folder}`, { recursive: true });
  await writeFile(`${root}${folder}/token`, 'canary\n', { mode: 0o400 });
  vi.stubEnv('CREDENTIALS_DIRECTORY', isNamed ? `${root}${folder}` : undefined);
  const { gather, connect } = await compose({
    root,
    config: undefined,
    facts: undefined,
    settings: [],
  }).finally(() => vi.unstubAllEnvs());
  const { files } = await gather();
  const { cloud } = connect(files.value?.settings ?? expect.fail('the settings were not read'));
  expect((await cloud.secret('k3s-token')).reveal()).toBe('canary');
});
