import { join } from 'node:path';
import * as z from 'zod/mini';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { parseJson } from '../../../engine/json.ts';
import { type K3sNode, normaliseServer } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { localServer } from './local-server.ts';

const answer = z.object({
  members: z.array(
    z.object({
      name: z.optional(z.string()),
      isLearner: z.optional(z.boolean()),
      peerURLs: z.optional(z.array(z.string())),
    }),
  ),
});

/** The members of etcd, as this server sees them. */
export interface EtcdMembers {
  /** True if this server does not vote yet, because it has not caught up with the others. */
  readonly isLearner: boolean;
  /** The number of voting members besides this server. */
  readonly others: number;
  /** The K3s servers of all members besides this one, as URLs from `normaliseServer`. */
  readonly servers: readonly string[];
}

/**
 * Returns the members of etcd (GET /db/info, which K3s answers without credentials on loopback; pkg/etcd/etcd.go,
 * infoHandler); `undefined` if K3s does not answer, and if etcd has no majority.
 */
export async function etcdMembers(
  host: HostReader,
  node: Pick<K3sNode, 'paths' | 'settings'>,
): Promise<EtcdMembers | undefined> {
  const { url, trust } = await localServer(host, node);
  const found = await host
    .get({ url: `${url}/db/info`, direct: true, timeout: 5_000, trust })
    .catch(notAnswered);
  const members = found?.status === 200 ? parseJson(answer, found.body)?.members : undefined;
  if (members === undefined) {
    return undefined;
  }
  const name = (await fileText(host, join(node.paths.k3s.datastore, 'etcd/name'))).trim();
  const own = members.find((each) => each.name === name);
  const others = members.filter((each) => each !== own);
  return {
    isLearner: own?.isLearner ?? false,
    others: others.filter((each) => each.isLearner !== true).length,
    servers: others.flatMap(({ peerURLs }) => peerURLs ?? []).flatMap(serverAt),
  };
}

/** Returns the K3s server beside the etcd at a URL; nothing if the URL is invalid. */
function serverAt(url: string): readonly string[] {
  return URL.canParse(url) ? [normaliseServer(new URL(url).hostname)] : [];
}

function notAnswered(thrown: unknown): undefined {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
}
