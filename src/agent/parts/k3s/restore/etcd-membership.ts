import type { Host } from '../../../engine/host.ts';
import { compare, type Resource } from '../../../engine/resource.ts';
import type { NodePaths } from '../../../paths.ts';
import { readableText } from '../../../resources/file-text.ts';
import { configuredServer } from '../membership/founding/configured-server.ts';
import { readFounding, writeFounding } from '../membership/founding/record.ts';

/**
 * Makes this server the one that joins no other, in Slipway's record and in config.yaml: K3s resets no cluster while
 * its configuration names a server to join. The result is the text that the daemon would write.
 */
export function joinsNoServer(paths: NodePaths, needs: readonly string[]): Resource {
  const { config } = paths.k3s;
  return {
    id: 'Restore/membership',
    summary: `let this server join no other, as it is the first one of the restored cluster: ${config}`,
    condition: 'K3sRunning',
    needs,
    async check(host) {
      const record = await readFounding(host, paths);
      const observed = {
        record: record?.state === 'member' && record.server === undefined ? 'no server' : 'another',
        server: await configuredServer(host, paths),
      };
      return compare(observed, { record: 'no server', server: undefined }, async (changing) => {
        await writeFounding(changing, paths, {
          state: 'member',
          claimed: record?.claimed,
          at: changing.now(),
        });
        await withoutServer(changing, paths);
      });
    },
  };
}

async function withoutServer(host: Host, { k3s }: NodePaths): Promise<void> {
  const text = await readableText(host, k3s.config);
  const without = text.replace(/^server: .*\n/m, '');
  if (without !== text) {
    const first = without.replace(/^(?=node-name: )/m, 'cluster-init: true\n');
    await host.writeFile(k3s.config, first, { mode: 0o600 });
  }
}
