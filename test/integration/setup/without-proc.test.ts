import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../host/folder.ts';

const source = new URL('../../../src/', import.meta.url).href;
const withoutProc = ['--mount', 'sh', '-c', 'umount -l /proc && exec "$@"', 'sh'];
const canHide = spawnSync('unshare', [...withoutProc, 'true']).status === 0;

test.skipIf(!canHide)(
  'slipway install works in an image where /proc is not mounted (needs root, for unshare)',
  async () => {
    const root = await temporaryFolder();
    await mkdir(`${root}/usr/local/bin`, { recursive: true });
    await writeFile(`${root}/script.ts`, script(root));
    const args = [
      ...withoutProc,
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      `${root}/script.ts`,
    ];
    const { stdout } = await promisify(execFile)('unshare', args);
    expect(stdout).toMatch(/^Another slipway \(process \d+\) holds /m);
    expect(await readdir(`${root}/usr/local/bin`)).toEqual(['slipway']);
  },
);

/**
 * Returns the source of a program that takes the setup lock, prints the error of a second attempt to take it, and
 * installs the executable.
 */
const script = (root: string) => `
  import { acquireLock } from '${source}agent/host/files/lock.ts';
  import { nodeHost } from '${source}agent/host/node-host.ts';
  import { nodePaths } from '${source}agent/paths.ts';
  import { installSteps } from '${source}setup/install-steps.ts';
  import { perform } from '${source}setup/perform.ts';

  const root = '${root}';
  const paths = nodePaths(root);
  const lock = () => acquireLock(paths.slipway.setupLock, root);
  const release = await lock();
  await lock().catch((thrown) => console.log(thrown.message));
  const files = { daemon: 'd', directories: 'd', tmpfiles: 't', example: 'e' };
  const steps = installSteps({ paths, self: '/bin/true', files }).slice(0, 2);
  await perform(steps, nodeHost({ root }), { out: console.log, error: console.error });
  await release();
`;
