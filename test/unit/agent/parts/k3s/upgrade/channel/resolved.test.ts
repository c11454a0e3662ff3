import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../../src/agent/engine/errors.ts';
import type { ActingName } from '../../../../../../../src/agent/parts/k3s/upgrade/channel/acting-release.ts';
import {
  readChannelNote,
  wantedVersion,
} from '../../../../../../../src/agent/parts/k3s/upgrade/channel/note.ts';
import { channelResolved } from '../../../../../../../src/agent/parts/k3s/upgrade/channel/resolved.ts';
import type { MemoryHost } from '../../../../../../lab/memory-host.ts';
import { aNode, outcome } from '../../../../a-node.ts';
import { binary, old, patch, recorded, recordPath, upgrading } from '../an-upgrade.ts';

const url = 'https://update.k3s.io/v1-release/channels';
const hour = 3_600_000;
const notePath = '/var/lib/slipway/channel.json';

function following(channel = 'stable') {
  return aNode('server', {
    version: channel,
    settings: { k3s: { channel, version: undefined, upgrade: 'auto' } },
  });
}

const node = following();

function answering(host: MemoryHost, releases: Readonly<Record<string, string>>): void {
  const data = Object.entries(releases).map(([name, latest]) => ({ name, latest }));
  host.onGet(url, JSON.stringify({ data }));
}

/** Not asked on the only server of a cluster. */
const nobody: ActingName = async () => undefined;

/** Checks, carries out the remedy, and returns the outcome. */
async function pass(host: MemoryHost, of = node): Promise<string> {
  const [resource] = channelResolved(of, nobody, []);
  if (!resource) {
    throw new Error('no Resource');
  }
  const told = await outcome(resource, host);
  if (told.startsWith('Drifted')) {
    const finding = await resource.check(host);
    if (finding.state === 'Drifted') {
      await finding.drift.remedy(host);
    }
  }
  return told;
}

const wanted = (host: MemoryHost) => wantedVersion(host, node.paths, node.settings.k3s);

describe('channelResolved', () => {
  test('is absent without a channel', () => {
    expect(channelResolved(aNode('server'), nobody, [])).toEqual([]);
  });

  test('records the release of the channel, and asks again after six hours', async () => {
    const host = upgrading({ [binary]: old });
    answering(host, { stable: old });
    expect(await pass(host)).toBe('Drifted release');
    expect(await wanted(host)).toBe(old);
    answering(host, { stable: patch });
    host.advance(6 * hour - 1);
    expect(await pass(host)).toBe('InSync');
    host.advance(1);
    expect(await pass(host)).toBe('Drifted release');
    expect(await wanted(host)).toBe(patch);
  });

  test('records only the time if the channel still names the same release', async () => {
    const host = upgrading({ [binary]: old });
    answering(host, { stable: old });
    await pass(host);
    host.advance(7 * hour);
    expect(await pass(host)).toBe('Drifted asked');
    expect(await pass(host)).toBe('InSync');
  });

  test('asks again if the clock was set back to before the last answer', async () => {
    const host = upgrading({ [binary]: old });
    const note = { channel: 'stable', release: old, latest: old, asked: host.now() + hour };
    host.files.write(notePath, JSON.stringify({ format: 1, ...note }));
    answering(host, { stable: patch });
    expect(await pass(host)).toBe('Drifted release');
  });

  test('asks for the release of another channel at once, and keeps the running release until the answer', async () => {
    const host = upgrading({ [binary]: old, '/var/lib/rancher/k3s/slipway-last-version': `${old}\n` });
    const note = { channel: 'latest', release: patch, latest: patch, asked: host.now() };
    host.files.write(notePath, JSON.stringify({ format: 1, ...note }));
    expect(await wanted(host)).toBe(old);
    answering(host, { stable: patch });
    expect(await pass(host)).toBe('Drifted release');
    expect(await readChannelNote(host, node.paths, 'stable')).toMatchObject({ release: patch });
  });

  test('does not ask while an upgrade is under way', async () => {
    const host = upgrading({ [binary]: patch, [recordPath]: recorded() });
    const note = { channel: 'stable', release: patch, latest: patch, asked: host.now() - 9 * hour };
    host.files.write(notePath, JSON.stringify({ format: 1, ...note }));
    expect(await pass(host)).toBe('InSync');
  });

  test('stays in its minor version, and names the setting that leaves it', async () => {
    const host = upgrading({ [binary]: old });
    answering(host, { stable: 'v1.37.0+k3s1', 'v1.36': patch });
    expect(await pass(host)).toBe('Drifted release');
    expect(await wanted(host)).toBe(patch);
    expect(await pass(host)).toBe('Waiting ChannelAhead');
    const [resource] = channelResolved(node, nobody, []);
    expect(await resource?.check(host)).toMatchObject({
      message: expect.stringContaining('set k3s.channel: v1.37 on all nodes'),
      blocks: false,
      endedBy: 'person',
    });
  });

  test('reports a channel that does not exist, with those that do', async () => {
    const host = upgrading({ [binary]: old });
    answering(host, { stable: old });
    const [resource] = channelResolved(following('v1.99'), nobody, []);
    await expect(resource?.check(host)).rejects.toMatchObject({
      reason: 'ChannelUnknown',
      endedBy: 'person',
    });
    await expect(resource?.check(host)).rejects.toThrow('it has stable.');
  });

  test('keeps the recorded release while the channel server does not answer', async () => {
    const host = upgrading({ [binary]: old });
    answering(host, { stable: old });
    await pass(host);
    host.advance(7 * hour);
    host.onGet(url, new NodeError('Unreachable', 'Nothing listens there.'));
    const [resource] = channelResolved(node, nobody, []);
    await expect(resource?.check(host)).rejects.toMatchObject({ reason: 'ChannelUnreachable' });
    expect(await wanted(host)).toBe(old);
  });

  test('treats a damaged record as lost', async () => {
    const host = upgrading({ [binary]: old });
    host.files.write(notePath, '{"format":1,"channel":"stable","release":"newest","latest":"x","asked":1}');
    expect(await wanted(host)).toBe('stable');
  });
});
