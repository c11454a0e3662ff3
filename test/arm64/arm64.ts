/**
 * `npm run test:arm64 -- [--suite bookworm|trixie]`: boots a virtual machine with an arm64 processor, which qemu
 * emulates, and tries the executable, the service, the Debian package and the lab in it. Needs root, but not KVM; the
 * machine needs no network. Prints what the machine prints, with the time that each check took there.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isPackaged } from '../lab/executable.ts';
import { diskImage } from './disk.ts';
import { runMachine } from './machine.ts';
import { missing } from './requirements.ts';
import { rootFileSystem, suites } from './root-file-system.ts';

const repository = join(import.meta.dirname, '../..');
process.chdir(repository);

const { values } = parseArgs({ options: { suite: { type: 'string', default: 'trixie' } } });
const suite = suites.find((name) => name === values.suite);
const wrong = suite === undefined ? [`--suite is one of ${suites.join(', ')}.`] : missing();
if (suite === undefined || wrong.length > 0) {
  process.stderr.write(`${wrong.join('\n')}\n`);
  process.exit(1);
}

if (!isPackaged('dist/slipway-linux-arm64') || !isPackaged()) {
  timed('packaging', () => execFileSync(process.execPath, ['packaging/package.ts'], { stdio: 'inherit' }));
}
const folder = mkdtempSync(join(tmpdir(), 'slipway-arm64-'));
try {
  const root = timed(`Debian ${suite} for arm64`, () => rootFileSystem(suite));
  const image = timed('the disk of the machine', () => diskImage(root, folder));
  process.exitCode = (await runMachine({ ...root, image })) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** Runs `work`, prints how long it took, and returns its result. */
function timed<Result>(name: string, work: () => Result): Result {
  const begun = performance.now();
  const result = work();
  process.stdout.write(`${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s\n`);
  return result;
}
