import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clouds } from '../../src/agent/clouds/index.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { annotate } from '../../src/agent/parts/k3s/node-annotations.ts';
import { createEvents } from '../../src/agent/parts/k3s/node-events.ts';
import { nodeReady } from '../../src/agent/parts/k3s/node-ready.ts';
import { findCause } from '../../src/agent/parts/k3s/service/journal/find-cause.ts';
import { installedVersion } from '../../src/agent/parts/k3s/upgrade/release.ts';
import { parseVersion } from '../../src/agent/parts/k3s/upgrade/version.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { aNode } from '../unit/agent/a-node.ts';

/**
 * Checks what Slipway assumes about the k3s executable, either the real one or the stand-in. Needs neither root nor a
 * cluster.
 */
export function k3sCliContract(name: string, executable: () => string): void {
  describe(`the k3s executable, ${name}`, () => {
    const root = mkdtempSync(join(tmpdir(), 'slipway-k3s-'));
    const paths = nodePaths(root);
    const host = nodeHost();

    beforeAll(async () => {
      await host.writeFile(join(paths.system.bin, 'here'), '', { mode: 0o644 });
      symlinkSync(executable(), paths.k3s.binary);
    });
    afterAll(() => rmSync(root, { recursive: true }));

    test('prints its version', async () => {
      const version = await installedVersion(host, paths);
      expect(parseVersion(version ?? '')).toBeDefined();
    });

    test('rejects an unknown key in the configuration of an agent with a message that Slipway recognizes', async () => {
      const config = join(root, 'config.yaml');
      writeFileSync(config, 'no-such-key: "x"\n');
      const { exitCode, stdout, stderr } = await host.query({
        file: paths.k3s.binary,
        args: ['agent', '--config', config],
      });
      expect(exitCode).not.toBe(0);
      expect(findCause(`${stdout}\n${stderr}`, 'agent', clouds.static.hints)?.reason).toBe(
        'K3sConfigInvalid',
      );
    });

    test('has a kubectl that accepts the options that Slipway passes, and fails without a kubeconfig', async () => {
      const node = aNode('agent', { root });
      expect(await nodeReady(node, []).check(host)).toMatchObject({
        state: 'Waiting',
        reason: 'ApiUnavailable',
      });
      expect(JSON.stringify(await nodeReady(node, []).check(host))).not.toContain('unknown flag');
    });

    test('has a kubectl that accepts the options with which Slipway annotates nodes and creates events', async () => {
      const node = aNode('agent', { root });
      const event = { about: 'Node', type: 'Normal', reason: 'Tried', message: 'm' } as const;
      // Makes one call after the other, because a promise that rejects before it is awaited is an unhandled rejection.
      for (const tell of [
        () => annotate(host, node, { 'a.b/c': 'd' }),
        () => createEvents(host, node, [event], 0),
      ]) {
        const error = await tell().then(
          () => undefined,
          (thrown: unknown) => `${thrown}`,
        );
        expect(error).toMatch(/kubelet\.kubeconfig/);
        expect(error).not.toMatch(/unknown flag|invalid/);
      }
    });
  });
}
