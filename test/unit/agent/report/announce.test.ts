import { describe, expect, test } from 'vitest';
import type { Report } from '../../../../src/agent/agent.ts';
import type { Condition } from '../../../../src/agent/engine/conditions.ts';
import type { Event } from '../../../../src/agent/engine/events.ts';
import type { Reason } from '../../../../src/agent/engine/reasons.ts';
import { inSync, type Outcome } from '../../../../src/agent/engine/resource.ts';
import { reveal } from '../../../../src/agent/engine/secret.ts';
import { announcer } from '../../../../src/agent/report/announce.ts';
import { type MemoryHost, memoryHost } from '../../../lab/memory-host.ts';
import { aCluster, apiServer } from '../a-cluster.ts';
import { aNode, type NodeChanges } from '../a-node.ts';

const minute = 60_000;
const identity = '/var/lib/rancher/k3s/agent/kubelet.kubeconfig';

/**
 * What a pass found: the state of Node/ready or the reason why it waits (`api`), the conditions, whether another
 * Resource changed something, and the node.
 */
interface Pass {
  readonly api?: 'InSync' | 'Blocked' | Reason;
  readonly conditions?: readonly string[];
  readonly changed?: boolean;
  readonly node?: NodeChanges;
}

const well = ['Ready True InSync', 'Registries True InSync'];
const denied = ['Ready True PullDenied', 'Registries False PullDenied'];

function report({ api = 'InSync', conditions = well, changed = false, node = {} }: Pass = {}): Report {
  const resource = (id: string) =>
    ({ id, condition: 'NodeReady', summary: '', check: async () => inSync() }) as const;
  const change = { resource: resource('File/x'), state: 'Changed', did: 'x', changes: [] } as const;
  return {
    knowledge: { files: {}, identity: {}, tagged: {}, role: {}, node: { value: aNode('agent', node) } },
    outcomes: [...(changed ? [change] : []), nodeReady(resource('Node/ready'), api)],
    conditions: conditions.map(condition),
    credentials: [],
    certificates: [],
    wake: { at: 0, because: '' },
  };
}

function nodeReady(resource: Outcome['resource'], api: 'InSync' | 'Blocked' | Reason): Outcome {
  if (api === 'InSync') {
    return { resource, state: api };
  }
  if (api === 'Blocked') {
    return { resource, state: api, by: 'Role' };
  }
  return { resource, state: 'Waiting', reason: api, message: '', lookAgainAt: 0, blocks: true };
}

function condition(text: string): Condition {
  const [type, status, reason] = text.split(' ');
  return { type, status, reason, message: 'm', lastTransitionTime: '' } as Condition;
}

/**
 * Returns a machine whose kubelet has a kubeconfig, and an API that keeps annotations and refuses the requests whose
 * words match `refuses`: `get`, `annotate`, and `create` with the reason of the event.
 */
function world({ annotations = {} }: { annotations?: Readonly<Record<string, string>> } = {}) {
  const host = memoryHost();
  aCluster(host);
  const api: { refuses: RegExp | undefined; annotations: Readonly<Record<string, string>>; asked: string[] } =
    {
      refuses: undefined,
      annotations,
      asked: [],
    };
  host.onRequest({ url: (url) => url.startsWith(apiServer) }, ({ method, body }) => {
    const sent = JSON.parse(reveal(body ?? '{}'));
    const words = { GET: 'get', POST: `create ${sent.reason}`, PATCH: 'annotate' };
    const word = words[method as keyof typeof words];
    api.asked.push(word);
    if (api.refuses?.test(word)) {
      return { status: 503, body: JSON.stringify({ kind: 'Status', message: `${word} refused` }) };
    }
    if (method === 'PATCH') {
      api.annotations = { ...api.annotations, ...sent.metadata.annotations };
    }
    return JSON.stringify({ metadata: { annotations: api.annotations } });
  });
  const events: Event[] = [];
  const begin = () => announcer({ host, version: '1.2.3', emit: (event) => events.push(event) });
  return { host, api, events, begin };
}

describe('an announcement', () => {
  test.each<[string, Pass, readonly string[]]>([
    ['reports a node that is Ready for the first time', {}, ['get', 'create RoleTaken', 'annotate']],
    [
      'reports a Ready node that is also degraded',
      { conditions: denied },
      ['get', 'create RoleTaken', 'create PullDenied', 'annotate'],
    ],
    [
      'annotates a node that is not Ready, and creates no event',
      { api: 'NodeNotReady', conditions: ['Ready Unknown NodeNotReady'] },
      ['get', 'annotate'],
    ],
    [
      'makes no request while the API is unavailable',
      { api: 'ApiUnavailable', conditions: ['Ready False ApiUnavailable'] },
      [],
    ],
    [
      'makes no request while the Node does not exist',
      { api: 'NodeNotFound', conditions: ['Ready False NodeNotFound'] },
      [],
    ],
    ['makes no request for a change that is not verified yet', { changed: true }, []],
    [
      'makes no request if the pass waits before it asks the API',
      { api: 'Blocked', conditions: ['Ready Unknown ServiceStarting'] },
      [],
    ],
    [
      'reports a failure of a pass that did not ask the API',
      { api: 'Blocked', conditions: ['Ready False RoleChanged', 'Role False RoleChanged'] },
      ['get', 'create RoleChanged', 'annotate'],
    ],
    ['makes no request with announce: false', { node: { settings: { k3s: { announce: false } } } }, []],
  ])('%s', async (_, pass, expected) => {
    const { api, begin } = world();
    await begin()(report(pass));
    expect(api.asked).toEqual(expected);
  });

  test('makes no request if kubelet has no identity or the node is unknown', async () => {
    const { api, begin, host } = world();
    await begin()({ ...report(), knowledge: { files: {}, identity: {}, tagged: {}, role: {}, node: {} } });
    host.files.remove(identity);
    await begin()(report());
    expect(api.asked).toEqual([]);
  });
});

test('an announcer makes no request for a pass without news, and a new process makes only one request', async () => {
  const { api, begin } = world();
  const announce = begin();
  for (let pass = 0; pass < 20; pass += 1) {
    await announce(report());
  }
  expect(api.asked).toEqual(['get', 'create RoleTaken', 'annotate']);
  const next = begin();
  for (let pass = 0; pass < 20; pass += 1) {
    await next(report());
  }
  expect(api.asked.slice(3)).toEqual(['get']);
});

test.each<[string, Pass]>([
  [
    'is announced again after it was deleted',
    { api: 'NodeNotFound', conditions: ['Ready Unknown NodeNotFound'] },
  ],
  ['is announced again under another name', { node: { name: 'vm-2' } }],
])('a Node %s', async (_, pass) => {
  const { api, begin } = world();
  const announce = begin();
  await announce(report());
  api.annotations = {};
  api.asked.length = 0;
  await announce(report(pass));
  await announce(report({ ...(pass.node && { node: pass.node }) }));
  expect(api.asked).toEqual(['get', 'create RoleTaken', 'annotate']);
});

describe('after a refused request, an announcer', () => {
  /** Announces the same report once a minute for `time` milliseconds. */
  async function pass(
    host: MemoryHost,
    announce: ReturnType<ReturnType<typeof world>['begin']>,
    time: number,
  ) {
    const same = report();
    for (const end = host.now() + time; host.now() < end; host.advance(minute)) {
      await announce(same);
    }
  }

  test.each(['get', 'create', 'annotate'])(
    'retries the request %s less and less often, warns once, and finally succeeds',
    async (verb) => {
      const { api, begin, host, events } = world();
      const announce = begin();
      api.refuses = new RegExp(`^${verb}`);
      await pass(host, announce, 60 * minute);
      const asked = api.asked.filter((each) => each.startsWith(verb)).length;
      expect(asked).toBe(6);
      await pass(host, announce, 24 * 60 * minute);
      expect(api.asked.filter((each) => each.startsWith(verb)).length).toBe(asked + 24);
      expect(events).toEqual([
        { type: 'Warned', message: expect.stringMatching(new RegExp(`${verb}[ \\w]* refused`)) },
      ]);
      api.refuses = undefined;
      await pass(host, announce, 61 * minute);
      expect(api.annotations['slipway.dev/ready']).toBe('True');
      expect(events).toHaveLength(1);
    },
  );

  test('does not send events twice if only the annotation was refused', async () => {
    const { api, begin, host } = world();
    const announce = begin();
    api.refuses = /^annotate$/;
    await pass(host, announce, 6 * 60 * minute);
    expect(api.asked.filter((each) => each.startsWith('create'))).toEqual(['create RoleTaken']);
  });

  test('does not warn about a single failure', async () => {
    const { api, begin, host, events } = world();
    const announce = begin();
    api.refuses = /get/;
    await announce(report());
    api.refuses = undefined;
    await pass(host, announce, 2 * minute);
    expect(api.annotations['slipway.dev/ready']).toBe('True');
    expect(events).toEqual([]);
  });

  test('announces without a delay as soon as the API answers', async () => {
    const { api, begin, events } = world();
    const announce = begin();
    api.refuses = /get/;
    const blocked = { api: 'Blocked', conditions: ['Ready False UnitMasked'] } as const;
    await announce(report(blocked));
    await announce(report(blocked));
    expect(api.asked).toEqual(['get']);
    api.refuses = undefined;
    await announce(report());
    expect(api.asked).toEqual(['get', 'get', 'create RoleTaken', 'annotate']);
    expect(events).toEqual([]);
  });
});

test('an announcer skips all but the last of the passes that end during an announcement', async () => {
  const { api, begin } = world();
  const announce = begin();
  const first = announce(report());
  void announce(report({ conditions: denied }));
  const drift = ['Ready True VersionDrift', 'K3sBinary False VersionDrift'];
  await Promise.all([first, announce(report({ conditions: drift }))]);
  expect(api.asked).toEqual(['get', 'create RoleTaken', 'annotate', 'create VersionDrift', 'annotate']);
});
