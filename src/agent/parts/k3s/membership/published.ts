import * as z from 'zod/mini';
import { hintsOf } from '../../../clouds/chosen.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { readOwn } from '../../../engine/own-file.ts';
import type { K3sNode } from '../../../node.ts';
import { pinnedCa } from './ca.ts';
import { askSupervisor, serverCa, serverNotReady } from './supervisor.ts';
import type { Token } from './token.ts';

/** The fields of the file in which a server shows its state to nodes that have not joined (`releasePublished`). */
export const published = z.object({
  /** The release of K3s that the server runs. */
  k3s: z.string(),
  /** True from the request to rotate the join token until K3s has started with the new one. */
  rotates: z.optional(z.boolean()),
});

/** Returns what a server publishes; `undefined` if it publishes nothing. */
export type AskPublished = (
  host: HostReader,
  node: K3sNode,
  server: string,
  token: Token,
) => Promise<z.output<typeof published> | undefined>;

/**
 * Returns what a server publishes; `undefined` if it publishes nothing, or has another CA than the token pins. Throws
 * `ServerUnreachable` and `ServerNotReady`.
 */
export const publishedOrError: AskPublished = async (host, { settings }, server, token) => {
  const hints = hintsOf(settings);
  const { hash, trusted } = pinnedCa(await serverCa(host, server, hints));
  if (token.caHash !== undefined && token.caHash !== hash) {
    return undefined;
  }
  const request = { url: `${server}/static/slipway/release.json`, trust: { ca: trusted, anyName: true } };
  const { status, body } = await askSupervisor(host, request, hints);
  if (status >= 500) {
    throw serverNotReady(server);
  }
  return status === 200 ? readOwn(published, body) : undefined;
};

/** Returns what a server publishes as `publishedOrError` does; `undefined` also if the server does not answer. */
export const publishedBy: AskPublished = async (host, node, server, token) => {
  try {
    return await publishedOrError(host, node, server, token);
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return undefined;
    }
    throw thrown;
  }
};
