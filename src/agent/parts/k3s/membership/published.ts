import * as z from 'zod/mini';
import { hintsOf } from '../../../clouds/chosen.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { readOwn } from '../../../engine/own-file.ts';
import type { K3sNode } from '../../../node.ts';
import { pinnedCa } from './ca.ts';
import { serverCa } from './supervisor.ts';
import type { Token } from './token.ts';

/** The fields of the file in which a server shows its state to nodes that have not joined (`releasePublished`). */
export const published = z.object({
  /** The release of K3s that the server runs. */
  k3s: z.string(),
  /** True from the request to rotate the join token until K3s has started with the new one. */
  rotates: z.optional(z.boolean()),
});

/**
 * Returns what a server publishes; `undefined` if it does not answer, publishes nothing, or has another CA than the
 * token pins.
 */
export async function publishedBy(
  host: HostReader,
  { settings }: K3sNode,
  server: string,
  token: Token,
): Promise<z.output<typeof published> | undefined> {
  try {
    const { hash, trusted } = pinnedCa(await serverCa(host, server, hintsOf(settings)));
    if (token.caHash !== undefined && token.caHash !== hash) {
      return undefined;
    }
    const url = `${server}/static/slipway/release.json`;
    const trust = { ca: trusted, anyName: true };
    const answer = await host.get({ url, timeout: 5_000, direct: true, trust });
    return answer.status === 200 ? readOwn(published, answer.body) : undefined;
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return undefined;
    }
    throw thrown;
  }
}
