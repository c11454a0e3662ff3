import { expect, test } from 'vitest';
import { unitLoaded } from '../../../../src/agent/resources/unit.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const path = '/etc/systemd/system/x.service';
const loaded = unitLoaded({ unit: 'x.service', path, condition: 'System' });

test.each([
  ['has read the current file', 'loaded', 'no', 'InSync'],
  ['has read an earlier version of the file', 'loaded', 'yes', 'Drifted'],
  ['could not read the file', 'error', 'no', 'Drifted'],
])(
  'unitLoaded compares a unit with its file if systemd %s: LoadState %s, NeedDaemonReload %s',
  async (_, state, stale, finding) => {
    const shown = `LoadState=${state}\nFragmentPath=${path}\nNeedDaemonReload=${stale}\n`;
    const host = memoryHost().on({ file: 'systemctl', args: /^show / }, shown);
    expect(await loaded.check(host)).toMatchObject({ state: finding });
  },
);
