/**
 * Tests what a rotation of the join token relies on with several servers, on a real etcd below the stand-in of K3s: a
 * request that a second server repeats does no harm, and a member starts with neither token at every moment.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange } from '../lab/standins/k3s-http.ts';
import { type ACluster, aCluster, etcdMissing, type StartedServer, waitFor } from './a-cluster.ts';

const otherToken = 'bootstrap data already found and encrypted with different token';

/** Asks the K3s of a server, which has the first token, to store the second one. Resolves to the status. */
async function rotate({ url }: StartedServer): Promise<number> {
  const headers = { authorization: `Basic ${btoa('server:secret')}` };
  const body = JSON.stringify({ newToken: 'second' });
  return (await exchange({ url: `${url}/v1-k3s/token`, method: 'PUT', headers, body })).status;
}

/** Starts a server, which is to end at once. Resolves to its log. */
async function ended(server: StartedServer): Promise<string> {
  server.start();
  await expect.poll(() => server.child?.exitCode, { timeout: 60_000 }).toBeTypeOf('number');
  return server.log();
}

describe.skipIf(etcdMissing !== undefined)(
  `the join token of three servers with embedded etcd${etcdMissing === undefined ? '' : ` (skipped: ${etcdMissing})`}`,
  () => {
    let cluster: ACluster;
    let a: StartedServer;
    let b: StartedServer;
    let c: StartedServer;

    beforeAll(async () => {
      cluster = await aCluster();
      a = await cluster.server('a');
      b = await cluster.server('b');
      c = await cluster.server('c');
      a.configure({ 'cluster-init': true });
      b.configure({ server: a.url });
      c.configure({ server: a.url });
      await a.up();
      await b.up();
      await c.up();
    });
    afterAll(() => cluster.end());

    test('is stored once, although two servers ask for it, and running servers accept the old one', async () => {
      await c.stop();
      expect([await rotate(a), await rotate(b), await rotate(a)]).toEqual([200, 200, 200]);
      expect((await b.ask('/v1-k3s/encrypt/status')).status).not.toBe(401);
    });

    test('stops a server that was off, with the old token', async () => {
      expect(await ended(c)).toContain(otherToken);
    });

    test('lets the server that was off start with the new token, after it has fetched the changes', async () => {
      c.configure({ server: a.url, token: 'second' });
      await c.up();
    });

    test('lets the others start with the new token, one after the other', async () => {
      for (const server of [a, b]) {
        await server.stop();
        server.configure({ server: c.url, token: 'second' });
        await server.up();
        await waitFor(() => server.log().includes('k3s is up and running'));
      }
      expect((await a.ask('/v1-k3s/encrypt/status', 'server:second')).status).toBe(200);
    });

    test('keeps a new server from starting with the former token, once the only server has stored another', async () => {
      const d = await cluster.server('d');
      const e = await cluster.server('e');
      d.configure({ 'cluster-init': true });
      await d.up();
      expect(await rotate(d)).toBe(200);
      e.configure({ server: d.url });
      expect(await ended(e)).toContain(otherToken);
    });
  },
);
