import { NodeError } from '../../../../engine/errors.ts';
import type { HostReader } from '../../../../engine/host.ts';
import { type Change, type Finding, inSync, type Resource, waiting } from '../../../../engine/resource.ts';
import { advisory, forPerson } from '../../../../engine/severity.ts';
import type { K3sNode } from '../../../../node.ts';
import { withoutMessage } from '../../../../resources/combinators.ts';
import { joinedCluster } from '../../membership/joined-cluster.ts';
import { lastVersion } from '../last-version.ts';
import { readUpgrade } from '../record.ts';
import { soundVersion } from '../release.ts';
import { type ActingName, releaseSource } from './acting-release.ts';
import { choose, nextLine } from './choice.ts';
import { askChannels } from './list.ts';
import { type ChannelNote, readChannelNote, writeChannelNote } from './note.ts';

/** How often the channel is asked; milliseconds. */
const interval = 6 * 3_600_000;

/**
 * Notes the release that this node takes from its channel; an empty list without `k3s.channel`. Only the server that
 * acts for the cluster asks the channel (acting-release.ts). Every other node takes the release that this server runs,
 * so that all nodes go to the same release.
 */
export function channelResolved(
  node: K3sNode,
  actingName: ActingName,
  needs: readonly string[],
): readonly Resource[] {
  const { channel } = node.settings.k3s;
  if (channel === undefined) {
    return [];
  }
  const resolved: Resource = {
    id: 'Release/channel',
    summary: `take the K3s release from the channel ${channel}`,
    condition: 'K3sBinary',
    needs,
    async check(host) {
      const note = await readChannelNote(host, node.paths, channel);
      const source = await releaseSource(host, node, actingName);
      return source.ask
        ? ask(host, node, channel, note)
        : follow(host, node, { channel, note, release: source.release });
    },
  };
  // Leaves out the message, since the condition should report the release that runs.
  return [withoutMessage(resolved)];
}

async function ask(
  host: HostReader,
  node: K3sNode,
  channel: string,
  note: ChannelNote | undefined,
): Promise<Finding> {
  const until = await freshUntil(host, node, note);
  if (note && until !== undefined) {
    return ahead(note, host.now(), until) ?? inSync({ until });
  }
  const channels = await askChannels(host, node.settings.k3s.channelUrl);
  const choice = choose(channels, channel, await runningRelease(host, node));
  if (choice === undefined) {
    throw unknownChannel(channel, [...channels.keys()]);
  }
  return noted(node, note, { channel, ...choice, asked: host.now() });
}

/**
 * Returns until when a note holds; `undefined` if the channel must be asked. A note holds while an upgrade is under
 * way, so that its release does not change.
 */
async function freshUntil(
  host: HostReader,
  { paths }: K3sNode,
  note: ChannelNote | undefined,
): Promise<number | undefined> {
  const now = host.now();
  if (note === undefined) {
    return undefined;
  }
  if ((await readUpgrade(host, paths))?.state === 'begun') {
    return now + 60_000;
  }
  const end = note.asked + interval;
  return note.asked <= now && now < end ? end : undefined;
}

async function runningRelease(host: HostReader, node: K3sNode): Promise<string | undefined> {
  if (!(await joinedCluster(host, node))) {
    return undefined;
  }
  return (await soundVersion(host, node.paths.k3s.binary)) ?? lastVersion(host, node.paths);
}

async function follow(
  host: HostReader,
  node: K3sNode,
  { channel, note, release }: FollowedRelease,
): Promise<Finding> {
  if (release !== undefined) {
    return release === note?.release
      ? inSync()
      : noted(node, note, { channel, release, latest: release, asked: host.now() });
  }
  if (note || (await joinedCluster(host, node))) {
    return inSync();
  }
  const message = `the server shows its K3s release once it is Ready, and this node takes the same one (k3s.channel: ${channel})`;
  return waiting('ServerUnreachable', message, { after: 5_000 });
}

/** What a node follows: the release of the acting server, if it is known now. */
interface FollowedRelease {
  readonly channel: string;
  readonly note: ChannelNote | undefined;
  readonly release: string | undefined;
}

/** Returns the drift of the note. Before the first release is known, the other steps wait for the next pass. */
function noted({ paths, version }: K3sNode, before: ChannelNote | undefined, note: ChannelNote): Finding {
  const change: Change = { field: 'release', observed: before?.release, desired: note.release };
  const time: Change = { field: 'asked', observed: timeText(before?.asked), desired: timeText(note.asked) };
  const isNew = note.release !== before?.release;
  return {
    state: 'Drifted',
    drift: {
      changes: isNew ? [change] : [time],
      summary: isNew
        ? `take K3s ${note.release} from the channel ${note.channel}`
        : `ask the channel ${note.channel} for its K3s release`,
      partial: version === note.channel,
      due: true,
      remedy: (host) => writeChannelNote(host, paths, note),
    },
  };
}

function timeText(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}

function ahead(note: ChannelNote, now: number, until: number): Finding | undefined {
  const next = nextLine(note);
  return next === undefined
    ? undefined
    : waiting(
        'ChannelAhead',
        `The channel ${note.channel} is at ${note.latest}, and this cluster stays in its minor version, at ${note.release}. To go to ` +
          `the next one, set k3s.channel: ${next} on all nodes.`,
        { ...advisory, after: Math.max(1_000, until - now) },
      );
}

function unknownChannel(channel: string, known: readonly string[]): NodeError {
  const names = known.slice(0, 20).join(', ') || 'none';
  return new NodeError(
    'ChannelUnknown',
    `The channel server has no channel ${channel} with a release; it has ${names}. Correct k3s.channel or k3s.channelUrl.`,
    forPerson,
  );
}
