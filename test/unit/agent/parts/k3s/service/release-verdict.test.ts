import { expect, test } from 'vitest';
import { releaseVerdict } from '../../../../../../src/agent/parts/k3s/service/release-verdict.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode } from '../../../a-node.ts';

const waits = { ActiveState: 'activating', SubState: 'auto-restart' };
const panic = 'time="2026-08-01T10:00:00Z" level=fatal msg="panic: nil map"';
const noFlag = 'Incorrect Usage: flag provided but not defined: -cluster-init';
const fullDisk = 'time="2026-08-01T10:00:00Z" level=fatal msg="write x: no space left on device"';

test.each([
  ['runs', { ActiveState: 'active' }, 0, '', 'up'],
  [
    'is starting after nine restarts',
    { ActiveState: 'activating', SubState: 'start', NRestarts: '9' },
    0,
    panic,
    'starting',
  ],
  ['ended twice', { ...waits, NRestarts: '2' }, 0, panic, 'starting'],
  ['ended three times', { ...waits, NRestarts: '3' }, 0, panic, 'failed'],
  ['ended three times since the upgrade began', { ...waits, NRestarts: '8' }, 5, panic, 'failed'],
  ['ended often before the upgrade began', { ...waits, NRestarts: '7' }, 5, panic, 'starting'],
  [
    'ended three times since a restart that reset the count',
    { ...waits, NRestarts: '3' },
    5,
    panic,
    'failed',
  ],
  ['ended once, with a flag that it does not know', { ...waits, NRestarts: '1' }, 0, noFlag, 'failed'],
  [
    'ended before the upgrade, with a flag that it does not know',
    { ...waits, NRestarts: '1' },
    1,
    noFlag,
    'starting',
  ],
  [
    'ended three times, and is now refused by an assertion',
    { ActiveState: 'inactive', SubState: 'dead', Result: 'exit-code', NRestarts: '3' },
    0,
    panic,
    'starting',
  ],
  ['ended ten times on a full disk', { ...waits, NRestarts: '10' }, 0, fullDisk, 'starting'],
] as const)('a release that $0 is $4', async (_, unit, restarts, log, expected) => {
  const host = memoryHost();
  const shown = { InvocationID: 'one', ...unit };
  host.on(
    { file: 'systemctl', args: /^show k3s\.service / },
    Object.entries(shown)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  host.on({ file: 'journalctl', args: /^_SYSTEMD_INVOCATION_ID=one / }, `${log}\n`);
  const record = {
    wanted: 'v1.36.4+k3s1',
    from: 'v1.36.3+k3s1',
    digest: '',
    state: 'begun',
    restarts,
  } as const;
  const verdict = await releaseVerdict(host, aNode('server'), record);
  expect(typeof verdict === 'string' ? verdict : 'failed').toBe(expected);
});
