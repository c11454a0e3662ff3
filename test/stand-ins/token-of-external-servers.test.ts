/**
 * Rotates the join token of two servers on a real PostgreSQL with the steps of Slipway, while the K3s that stores the
 * token is killed in the middle of the request.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rotationSteps } from '../lab/standins/k3s-bootstrap.ts';
import { type ACluster, aCluster, waitFor } from './a-cluster.ts';
import { type APostgres, aPostgres, postgresMissing } from './a-postgres.ts';
import { aRotation, type RotatingServer } from './a-rotating-server.ts';

describe.skipIf(postgresMissing !== undefined)(
  `the join token of two servers on one PostgreSQL${postgresMissing === undefined ? '' : ` (skipped: ${postgresMissing})`}`,
  () => {
    let postgres: APostgres;
    let cluster: ACluster;

    beforeAll(async () => {
      [postgres, cluster] = await Promise.all([aPostgres(), aCluster()]);
    });
    afterAll(async () => {
      await cluster.end();
      await postgres.stop();
    });

    /** Starts two servers that share a new database; the first one is to be killed after a step of the request. */
    async function twoServers(step: string): Promise<readonly [RotatingServer, RotatingServer]> {
      const [first, second] = await Promise.all([cluster.server('a'), cluster.server('b')]);
      const endpoint = postgres.endpoint(`k3s_${first.port}`);
      for (const { root, configure } of [first, second]) {
        mkdirSync(join(root, 'var/lib/slipway'), { recursive: true });
        mkdirSync(join(root, 'run/slipway-k3s'), { recursive: true });
        const file = join(root, 'var/lib/slipway/join-token');
        writeFileSync(file, 'secret\n', { mode: 0o600 });
        configure({ 'datastore-endpoint': endpoint, token: undefined, 'token-file': file });
      }
      await first.up();
      await second.up();
      writeFileSync(join(first.root, 'var/lib/rancher/k3s/server/killed-after'), step);
      return aRotation(first, second);
    }

    async function expectRotated(servers: readonly RotatingServer[]): Promise<void> {
      for (const { server, node, host } of servers) {
        const { content } = (await host.readFile(node.paths.slipway.joinToken)) ?? {};
        expect(content).toBe('second\n');
        expect((await server.ask('/v1-k3s/encrypt/status', 'server:second')).status).toBe(200);
        expect((await server.ask('/v1-k3s/encrypt/status', 'server:secret')).status).toBe(401);
        // The next start reads everything from the database again.
        await server.stop();
        await server.up();
      }
    }

    test.each(rotationSteps)('is the new one after K3s was killed after the step "%s"', async (step) => {
      const [a, b] = await twoServers(step);
      for (let pass = 0; pass < 40 && !((await a.isDone()) && (await b.isDone())); pass += 1) {
        await a.pass();
        await b.pass();
      }
      await expectRotated([a, b]);
      await Promise.all([a, b].map(({ server }) => server.stop()));
    });

    test.each(rotationSteps)(
      'is the new one after the server whose K3s was killed after the step "%s" was off while the other one went on',
      async (step) => {
        const [a, b] = await twoServers(step);
        for (let pass = 0; pass < 10 && a.server.child?.signalCode !== 'SIGKILL'; pass += 1) {
          await a.pass(false);
        }
        await waitFor(() => a.server.child?.signalCode === 'SIGKILL');
        a.isOff = true;
        for (let pass = 0; pass < 40 && !(await b.isDone()); pass += 1) {
          await b.pass();
        }
        expect(await b.isDone()).toBe(true);
        a.isOff = false;
        for (let pass = 0; pass < 40 && !(await a.isDone()); pass += 1) {
          await a.pass();
        }
        await expectRotated([a, b]);
        await Promise.all([a, b].map(({ server }) => server.stop()));
      },
    );
  },
);
