/**
 * The channel server of K3s. Models update.k3s.io (rancher/channelserver): the list of channels with their newest
 * releases, and for a single channel a redirect to the page of its release. Not modelled: the other routes, paging.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The host name of the channel server. */
export const channelServer = 'update.k3s.io';

const list = '/v1-release/channels';

/** Answers a request to the channel server. `channels` has the newest release of each channel. */
export function answerChannels(
  channels: ReadonlyMap<string, string>,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
): void {
  const one = url.startsWith(`${list}/`) ? channels.get(url.slice(list.length + 1)) : undefined;
  if (method !== 'GET') {
    response.writeHead(405).end();
  } else if (url === list) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(listOf(channels)));
  } else if (one !== undefined) {
    const location = `https://github.com/k3s-io/k3s/releases/tag/${encodeURIComponent(one)}`;
    response.writeHead(302, { location }).end();
  } else {
    response.writeHead(404).end('404 page not found\n');
  }
}

function listOf(channels: ReadonlyMap<string, string>): object {
  const self = `https://${channelServer}${list}`;
  const data = [...channels].map(([name, latest]) => ({
    id: name,
    links: { self: `${self}/${name}` },
    name,
    type: 'channel',
    latest,
  }));
  return { type: 'collection', links: { self }, actions: {}, resourceType: 'channels', data };
}
