/**
 * A client of a real etcd 3.4 or newer, through its JSON gateway (etcd-io/etcd,
 * Documentation/dev-guide/api_grpc_gateway): the keys as a `KeyStore`, and the members of the cluster. Errors have
 * etcd's words.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Change, Entry, KeyStore } from './k3s-store.ts';

export interface Member {
  readonly ID: string;
  /** Missing until the member has started. */
  readonly name?: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs?: readonly string[];
  readonly isLearner?: boolean;
}

export interface EtcdStatus {
  readonly header: { readonly member_id: string };
  readonly leader?: string;
  readonly isLearner?: boolean;
  readonly raftAppliedIndex?: string;
}

export interface Etcd extends KeyStore {
  status(): Promise<EtcdStatus>;
  members(): Promise<readonly Member[]>;
  /** Adds a member that does not vote, with this peer URL. */
  addLearner(peerUrl: string): Promise<void>;
  promote(id: string): Promise<void>;
  removeMember(id: string): Promise<void>;
  setPeerUrl(id: string, peerUrl: string): Promise<void>;
}

interface Kv {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision: string;
}

interface Header {
  readonly header: { readonly revision: string };
}

const encode = (text: string) => Buffer.from(text).toString('base64');
const decode = (text = '') => Buffer.from(text, 'base64').toString();

/** Returns a client of the member at `url`. `timeout` in milliseconds applies to each request. */
export function etcdAt(url: string, timeout = 20_000): Etcd {
  const call = <Answer>(path: string, body: object = {}) => post<Answer>(`${url}/v3/${path}`, body, timeout);
  const range = (prefix: string) =>
    call<Header & { readonly kvs?: readonly Kv[] }>('kv/range', {
      key: encode(prefix),
      range_end: encode(afterPrefix(prefix)),
    });
  return {
    async load(prefix) {
      const { header, kvs = [] } = await range(prefix);
      return { revision: Number(header.revision), entries: kvs.map(entryOf) };
    },
    async revision() {
      const { header } = await call<Header>('kv/range', { key: encode('/'), count_only: true });
      return Number(header.revision);
    },
    async write({ key: name, value, base }) {
      const key = encode(name);
      const change =
        value === undefined
          ? { request_delete_range: { key } }
          : { request_put: { key, value: encode(value) } };
      const { header, succeeded, responses } = await call<
        Header & {
          readonly succeeded?: boolean;
          readonly responses?: readonly { readonly response_range?: { readonly kvs?: readonly Kv[] } }[];
        }
      >('kv/txn', {
        compare: [{ key, target: 'MOD', mod_revision: String(base) }],
        success: [change],
        failure: [{ request_range: { key } }],
      });
      const [found] = responses?.[0]?.response_range?.kvs ?? [];
      return succeeded
        ? { revision: Number(header.revision) }
        : { conflict: found === undefined ? undefined : entryOf(found) };
    },
    follow: (revision, seen) => void followForever(url, revision, seen),
    async leads() {
      const { header, leader } = await call<EtcdStatus>('maintenance/status');
      return leader === header.member_id;
    },
    status: () => call<EtcdStatus>('maintenance/status'),
    members: async () => (await call<{ readonly members: readonly Member[] }>('cluster/member/list')).members,
    async addLearner(peerUrl) {
      await call('cluster/member/add', { peerURLs: [peerUrl], isLearner: true });
    },
    async promote(ID) {
      await call('cluster/member/promote', { ID });
    },
    async removeMember(ID) {
      await call('cluster/member/remove', { ID });
    },
    async setPeerUrl(ID, peerUrl) {
      await call('cluster/member/update', { ID, peerURLs: [peerUrl] });
    },
  };
}

function entryOf({ key, value, mod_revision }: Kv): Entry {
  return { key: decode(key), value: decode(value), revision: Number(mod_revision) };
}

/** Returns the end of the range of all keys that begin with `prefix` (clientv3.GetPrefixRangeEnd). */
function afterPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** Sends a request; rejects with etcd's message for a refusal, or with that of a client whose deadline has passed. */
async function post<Answer>(url: string, body: object, timeout: number): Promise<Answer> {
  const signal = AbortSignal.timeout(timeout);
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body), signal }).catch(
    (error: unknown) => {
      throw new Error(signal.aborted ? deadline : `connection error: ${reasonOf(error)}`, { cause: error });
    },
  );
  const text = await response.text();
  if (!response.ok) {
    throw new Error(JSON.parse(text).message);
  }
  return JSON.parse(text);
}

const deadline = 'context deadline exceeded';

function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
}

interface WatchLine {
  readonly result?: {
    readonly header: { readonly revision: string };
    readonly events?: readonly { readonly type?: 'DELETE'; readonly kv: Kv }[];
  };
}

/** Watches all keys; after a lost connection, continues behind the last change. */
async function followForever(
  url: string,
  after: number,
  seen: (changes: readonly Change[], revision: number) => void,
): Promise<never> {
  let last = after;
  for (;;) {
    const watch = { create_request: { key: 'AA==', range_end: 'AA==', start_revision: String(last + 1) } };
    try {
      const { body } = await fetch(`${url}/v3/watch`, { method: 'POST', body: JSON.stringify(watch) });
      for await (const { result } of linesOf(body)) {
        const changes = (result?.events ?? []).map(({ type, kv }) => ({
          key: decode(kv.key),
          value: type === 'DELETE' ? undefined : decode(kv.value),
          revision: Number(kv.mod_revision),
        }));
        last = Math.max(last, changes.at(-1)?.revision ?? 0);
        seen(changes, last);
      }
    } catch {
      // etcd has stopped, or has not started yet.
    }
    await sleep(500);
  }
}

async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<WatchLine> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter(Boolean).map((line): WatchLine => JSON.parse(line));
  }
}
