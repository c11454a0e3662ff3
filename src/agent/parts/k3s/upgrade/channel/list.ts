import * as z from 'zod/mini';
import { NodeError } from '../../../../engine/errors.ts';
import type { HostReader } from '../../../../engine/host.ts';
import { parseJson } from '../../../../engine/json.ts';
import { followRedirects, whyRefused } from '../../../../engine/redirects.ts';
import { parseVersion } from '../version.ts';

/** The newest release of each channel, by the name of the channel. */
export type Channels = ReadonlyMap<string, string>;

/** The maximum number of channels in a list; K3s has three, and one for each minor version. */
const most = 500;

/** The answer of the channel server (https://update.k3s.io/v1-release/channels). */
const list = z.object({
  data: z.array(z.object({ name: z.string(), latest: z.optional(z.string()) })).check(z.maxLength(most)),
});

/**
 * Asks the channel server for its channels. Leaves out a channel whose newest release is not the name of a K3s release.
 * Throws `ChannelUnreachable` if the server does not answer with a list of channels.
 */
export async function askChannels(host: HostReader, address: string): Promise<Channels> {
  const { answer, refused } = await followRedirects(new URL(address), (url) =>
    host.get({ url: url.href }).catch((thrown: unknown) => {
      throw thrown instanceof NodeError ? unreachable(address, thrown.message) : thrown;
    }),
  );
  if (refused) {
    throw unreachable(address, `It ${whyRefused(refused)}.`);
  }
  const found = answer.status === 200 ? parseJson(list, answer.body) : undefined;
  if (!found) {
    const what = answer.status === 200 ? 'something that is not a list of channels' : answer.status;
    throw unreachable(address, `It answers ${what}.`);
  }
  return new Map(
    found.data.flatMap(({ name, latest = '' }) => (parseVersion(latest) ? [[name, latest] as const] : [])),
  );
}

function unreachable(address: string, why: string): NodeError {
  return new NodeError(
    'ChannelUnreachable',
    `The channels of K3s at ${address} cannot be read: ${why} A node that runs keeps its release. Without a network, set ` +
      'k3s.channelUrl to a copy of the list, or k3s.version instead of k3s.channel.',
  );
}
