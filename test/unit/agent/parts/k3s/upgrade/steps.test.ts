import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import { step, waiting } from '../../../../../../src/agent/engine/resource.ts';
import { advisory } from '../../../../../../src/agent/engine/severity.ts';
import { openGate, type Wish } from '../../../../../../src/agent/parts/k3s/gate.ts';
import { datastoreCopied } from '../../../../../../src/agent/parts/k3s/upgrade/copied.ts';
import { releaseFetched } from '../../../../../../src/agent/parts/k3s/upgrade/fetched.ts';
import { readUpgrade } from '../../../../../../src/agent/parts/k3s/upgrade/record.ts';
import { k3sExecutable } from '../../../../../../src/agent/parts/k3s/upgrade/release.ts';
import {
  type ReleaseVerdict,
  releaseReplaced,
} from '../../../../../../src/agent/parts/k3s/upgrade/replaced.ts';
import { upgradeTurn } from '../../../../../../src/agent/parts/k3s/upgrade-turn.ts';
import { carryOut } from '../../../../../lab/memory-jobs.ts';
import { aNode, outcome } from '../../../a-node.ts';
import {
  binary,
  minor,
  next,
  old,
  patch,
  previous,
  recorded,
  recordPath,
  upgrading,
  wanting,
} from './an-upgrade.ts';

const failed: ReleaseVerdict = async () => ({ why: 'It ended three times.' });
const up: ReleaseVerdict = async () => 'up';

describe('k3sExecutable on a joined server', () => {
  const givenUp = 'VersionGivenUp (person, non-blocking)';

  test.each([
    ['wants a release that it gave up', patch, old, { state: 'rolledBack' }, givenUp],
    [
      'wants a release that it gave up with another digest',
      patch,
      old,
      { state: 'rolledBack', digest: 'other' },
      'InSync',
    ],
    [
      'runs a release that it gave up and could not leave',
      minor,
      minor,
      { state: 'gaveUp', wanted: minor },
      givenUp,
    ],
    ['wants the release that it ran before the upgrade', old, patch, { state: 'done' }, 'InSync'],
    ['has begun to return to an older patch', old, patch, { from: patch, wanted: old }, 'InSync'],
    [
      'has returned to an older patch, but runs the newer one again',
      old,
      patch,
      { from: patch, wanted: old, state: 'done' },
      'VersionRefused (person, non-blocking)',
    ],
    [
      'has begun to return to an older minor version',
      old,
      minor,
      { from: minor, wanted: old },
      'VersionRefused (person, non-blocking)',
    ],
    [
      'wants an older release that it did not run before the upgrade',
      'v1.36.2+k3s1',
      patch,
      { state: 'done' },
      'VersionRefused (person, non-blocking)',
    ],
    [
      'wants the older minor version that it ran before the upgrade',
      old,
      minor,
      { state: 'gaveUp', wanted: minor },
      'VersionRefused (person, non-blocking)',
    ],
  ] as const)('that $0 reports $4', async (_, wanted, installed, changes, expected) => {
    const host = upgrading({
      [binary]: { content: installed, mode: 0o755 },
      [recordPath]: recorded(changes),
    });
    expect(await outcome(k3sExecutable(wanting(wanted), []), host)).toBe(expected);
  });
});

describe('releaseFetched', () => {
  test.each([
    ['downloads the release of an upgrade', patch, { [binary]: old }, 'Drifted (non-blocking) version'],
    [
      'is in sync once the release is there',
      patch,
      { [binary]: old, [next]: { content: patch, mode: 0o755 } },
      'InSync',
    ],
    [
      'replaces another downloaded release',
      minor,
      { [binary]: old, [next]: patch },
      'Drifted (non-blocking) version, mode',
    ],
    [
      'removes a downloaded release that the node already runs',
      patch,
      { [binary]: patch, [next]: patch },
      `Drifted (non-blocking) ${next}`,
    ],
    ['does not download a release that skips a minor version', 'v1.38.0+k3s1', { [binary]: old }, 'InSync'],
    [
      'does nothing on a new node',
      patch,
      { [binary]: old, '/var/lib/rancher/k3s/server/token': { link: '/nowhere' } },
      'InSync',
    ],
  ] as const)('%s', async (name, wanted, files, expected) => {
    const host = upgrading(files);
    if (name.includes('new node')) {
      host.files.remove('/var/lib/rancher/k3s/server/token');
    }
    expect(await outcome(releaseFetched(wanting(wanted), []), host)).toBe(expected);
  });

  test('downloads nothing with k3s.upgrade manual', async () => {
    const host = upgrading({ [binary]: old });
    expect(await outcome(releaseFetched(aNode('server', { version: patch }), []), host)).toBe('InSync');
  });
});

describe('upgradeTurn', () => {
  const fetched = { [binary]: old, [next]: patch };

  test('asks the gate with the name that all nodes with this wish have, and waits for the gate', async () => {
    const wishes: Wish[] = [];
    const gate = async (_: unknown, wish: Wish) => {
      wishes.push(wish);
      return waiting('Blocked', 'waits for its turn', { blocks: false });
    };
    const host = upgrading(fetched);
    expect(await outcome(upgradeTurn(wanting(patch), { gate }, []), host)).toBe('Waiting Blocked');
    expect(wishes).toEqual([
      { kind: 'upgrade', name: `upgrade ${patch}`, digest: expect.stringMatching(/^[0-9a-f]{12}$/) },
    ]);
    expect(await readUpgrade(host, wanting(patch).paths)).toBeUndefined();
  });

  test('records that the upgrade has begun, with the restarts of K3s so far', async () => {
    const host = upgrading(fetched, { NRestarts: '7' });
    const node = wanting(patch);
    const finding = await upgradeTurn(node, { gate: openGate }, []).check(host);
    if (finding.state !== 'Drifted') {
      throw new Error(finding.state);
    }
    await carryOut(finding.drift.remedy, host);
    expect(await readUpgrade(host, node.paths)).toMatchObject({ from: old, wanted: patch, restarts: 7 });
    expect(await outcome(upgradeTurn(node, { gate: openGate }, []), host)).toBe('InSync');
  });

  test.each([
    ['another release is wanted', 'v1.36.5+k3s1'],
    ['no other release is wanted', patch],
  ])(
    'keeps its turn, and does not wait, while the new release is being verified and %s',
    async (_, wanted) => {
      const wishes: Wish[] = [];
      const gate = async (_host: unknown, wish: Wish) => {
        wishes.push(wish);
        return waiting('Blocked', 'no turn');
      };
      const host = upgrading({ [binary]: patch, [recordPath]: recorded() });
      expect(await outcome(upgradeTurn(wanting(wanted), { gate }, []), host)).toBe('InSync');
      const { digest } = JSON.parse(recorded());
      const made = { kind: 'upgrade', name: `upgrade ${patch}`, digest, isInPlace: true, isMade: true };
      expect(wishes).toEqual([made]);
    },
  );

  test('removes its record if the gate closes before the executable is replaced', async () => {
    const host = upgrading({ ...fetched, [recordPath]: recorded() });
    const node = wanting(patch);
    expect(await outcome(upgradeTurn(node, { gate: openGate }, []), host)).toBe('InSync');
    const closed = upgradeTurn(node, { gate: async () => waiting('Blocked', 'no turn') }, []);
    const finding = await closed.check(host);
    if (finding.state !== 'Drifted') {
      throw new Error(finding.state);
    }
    expect(finding.drift).toMatchObject({ partial: true, blocks: false });
    await carryOut(finding.drift.remedy, host);
    expect(await readUpgrade(host, node.paths)).toBeUndefined();
    expect(await outcome(closed, host)).toBe('Waiting Blocked');
  });

  test.each([
    ['the release is not downloaded', { [binary]: old }],
    ['there is nothing to upgrade', { [binary]: patch, [next]: patch }],
    ['the upgrade is done', { [binary]: patch, [recordPath]: recorded({ state: 'done' }) }],
    ['the upgrade is rolled back', { [binary]: patch, [recordPath]: recorded({ state: 'rolledBack' }) }],
  ])('does not ask the gate while %s', async (_, files) => {
    const gate = () => Promise.reject(new Error('asked'));
    expect(await outcome(upgradeTurn(wanting(patch), { gate }, []), upgrading(files))).toBe('InSync');
  });
});

describe('an upgrade whose datastore cannot be copied', () => {
  const lack = async () => new NodeError('CopyDeclined', 'It does not fit.', advisory);

  test('asks for no turn, and waits for a person', async () => {
    const wishes: Wish[] = [];
    const gate = async (_: unknown, wish: Wish) => {
      wishes.push(wish);
      return undefined;
    };
    const host = upgrading({ [binary]: old, [next]: patch });
    const found = await outcome(upgradeTurn(wanting(patch), { gate, lack }, []), host);
    expect(found).toBe('Waiting CopyDeclined');
    expect(wishes).toMatchObject([{ name: `upgrade ${patch}`, givenUp: 'It does not fit.' }]);
  });

  test('begins anyway while K3s does not run, because the upgrade may repair K3s', async () => {
    const host = upgrading({ [binary]: old, [next]: patch }, { ActiveState: 'failed' });
    const finding = await upgradeTurn(wanting(patch), { gate: openGate, lack }, []).check(host);
    expect(finding).toMatchObject({ state: 'Drifted', drift: { summary: expect.stringMatching(/^begin/) } });
  });

  test.each([
    ['gives up its turn', waiting('Blocked', 'the step of the gate'), 'Waiting Blocked'],
    ['removes its record once its turn is over', undefined, 'Drifted (non-blocking) upgrade'],
  ])('after the copy has failed, %s', async (_, answer, expected) => {
    const wishes: Wish[] = [];
    const gate = async (_host: unknown, wish: Wish) => {
      wishes.push(wish);
      return wish.givenUp === undefined ? undefined : answer;
    };
    const host = upgrading({ [binary]: old, [next]: patch, [recordPath]: recorded() });
    const failing = async () =>
      step({ field: 'copy', observed: undefined, desired: 'made' }, () =>
        Promise.reject(new NodeError('DatabaseDamaged', 'It is damaged.')),
      );
    const copied = await datastoreCopied(wanting(patch), failing, []).check(host);
    if (copied.state !== 'Drifted') {
      throw new Error(copied.state);
    }
    await expect(copied.drift.remedy(host)).rejects.toThrow('It is damaged.');
    const found = await upgradeTurn(wanting(patch), { gate }, []).check(host);
    expect(wishes.map(({ givenUp }) => givenUp)).toEqual([
      'It is damaged. The node tries again in its next turn.',
    ]);
    expect(await outcome(upgradeTurn(wanting(patch), { gate }, []), host)).toBe(expected);
    if (answer !== undefined) {
      expect(found).toBe(answer);
    }
  });

  test('keeps its turn if K3s was restarted during the copy', async () => {
    const host = upgrading({ [binary]: old, [next]: patch, [recordPath]: recorded() });
    const failing = async () =>
      step({ field: 'copy', observed: undefined, desired: 'made' }, () =>
        Promise.reject(new NodeError('ServiceStarting', 'It was restarted.')),
      );
    const copied = await datastoreCopied(wanting(patch), failing, []).check(host);
    await expect(copied.state === 'Drifted' && copied.drift.remedy(host)).rejects.toThrow('restarted');
    expect(await outcome(upgradeTurn(wanting(patch), { gate: openGate }, []), host)).toBe('InSync');
  });
});

describe('datastoreCopied', () => {
  const begun = { [binary]: old, [next]: patch, [recordPath]: recorded() };
  const copy = async () => waiting('InProgress', 'copies', { blocks: false });

  test.each([
    ['waits for the copy', begun, {}, 'Waiting InProgress'],
    ['makes no copy before the turn', { ...begun, [recordPath]: recorded({ state: 'done' }) }, {}, 'InSync'],
    [
      'makes no copy of a K3s that ends again and again',
      begun,
      { ActiveState: 'activating', SubState: 'auto-restart', NRestarts: '3' },
      'InSync',
    ],
    [
      'waits for the copy of a K3s that has ended once',
      begun,
      { ActiveState: 'activating', SubState: 'auto-restart', NRestarts: '1' },
      'Waiting InProgress',
    ],
  ])('%s', async (_, files, unit, expected) => {
    expect(await outcome(datastoreCopied(wanting(patch), copy, []), upgrading(files, unit))).toBe(expected);
  });

  test('holds back the replacement until the copy exists', async () => {
    const replaced = releaseReplaced(wanting(patch), { copy, verdict: up }, []);
    expect(await outcome(replaced, upgrading({ ...begun, [previous]: old }))).toBe('InSync');
  });
});

describe('releaseReplaced', () => {
  const replacing = (node = wanting(patch), verdict = up) =>
    releaseReplaced(node, { copy: undefined, verdict }, []);

  test.each([
    [
      'first copies the present executable',
      { [binary]: old, [next]: patch, [recordPath]: recorded() },
      `Drifted (non-blocking) ${previous}`,
    ],
    [
      'replaces an older copy with one of the present executable',
      { [binary]: old, [previous]: 'v1.36.1+k3s1', [next]: patch, [recordPath]: recorded() },
      `Drifted (non-blocking) ${previous}`,
    ],
    [
      'then replaces the executable',
      { [binary]: old, [previous]: old, [next]: patch, [recordPath]: recorded() },
      'Drifted (non-blocking) version',
    ],
    ['replaces nothing before the turn', { [binary]: old, [previous]: old, [next]: patch }, 'InSync'],
    [
      'is in sync while the new release runs',
      { [binary]: patch, [previous]: old, [recordPath]: recorded() },
      'InSync',
    ],
  ])('%s', async (_, files, expected) => {
    expect(await outcome(replacing(), upgrading(files))).toBe(expected);
  });

  test('gives the new executable the SELinux label of the present one', async () => {
    const host = upgrading({
      [binary]: old,
      [previous]: old,
      [next]: patch,
      [recordPath]: recorded(),
      '/sys/fs/selinux/enforce': '1',
    });
    host.on({ file: 'chcon' });
    const finding = await replacing().check(host);
    if (finding.state !== 'Drifted') {
      throw new Error(finding.state);
    }
    await finding.drift.remedy(host);
    expect(host.lines()).toEqual([`run chcon --reference=${binary} ${next}`, `rename ${next} -> ${binary}`]);
  });

  test.each([
    ['the previous executable is kept', {}, undefined, 'rolledBack'],
    ['the previous executable is lost', { [previous]: 'damaged' }, undefined, 'gaveUp'],
    ['the datastore is etcd', { '/var/lib/rancher/k3s/server/db/etcd/member/wal': '' }, undefined, 'gaveUp'],
    ['the release is of another minor version', {}, minor, 'gaveUp'],
  ])('gives up a failed release, with the state $3, if $0', async (_, files, given, expected) => {
    const to: string = given ?? patch;
    const host = upgrading({
      [binary]: to,
      [previous]: old,
      [recordPath]: recorded({ wanted: to }),
      ...files,
    });
    const node = wanting(to);
    const finding = await replacing(node, failed).check(host);
    if (finding.state !== 'Drifted') {
      throw new Error(finding.state);
    }
    await finding.drift.remedy(host);
    expect(await readUpgrade(host, node.paths)).toMatchObject({
      state: expected,
      why: 'It ended three times.',
    });
    expect(host.files.text(binary)).toBe(to);
    const after = await outcome(replacing(node, failed), host);
    expect(after).toBe(expected === 'rolledBack' ? 'Drifted (non-blocking) version' : 'InSync');
  });

  test('rolls back to an older minor version on an agent', async () => {
    const host = upgrading({ [binary]: minor, [previous]: old, [recordPath]: recorded({ wanted: minor }) });
    const agent = aNode('agent', { version: minor });
    const finding = await replacing(agent, failed).check(host);
    if (finding.state !== 'Drifted') {
      throw new Error(finding.state);
    }
    await finding.drift.remedy(host);
    expect(await readUpgrade(host, agent.paths)).toMatchObject({ state: 'rolledBack' });
  });
});
