import type { HostReader } from '../../../engine/host.ts';
import { inSync, type Resource } from '../../../engine/resource.ts';
import { Secret } from '../../../engine/secret.ts';
import type { NodePaths } from '../../../paths.ts';
import { isOpen, type OpenRotation, readRotation, writeRotation } from '../membership/rotation-record.ts';

/**
 * Returns the open rotation of the join token that replaces the token of a copy. Its record has this token, so the copy
 * can be restored.
 */
export async function rotationFrom(
  host: HostReader,
  paths: NodePaths,
  token: string,
): Promise<OpenRotation | undefined> {
  const record = await readRotation(host, paths);
  return isOpen(record) && record.from === token ? record : undefined;
}

/**
 * Puts the token of a copy back if an open rotation is replacing it, because K3s opens a datastore only with the token
 * of its time. The rotation begins anew after the restore, unless it is no longer consented to: its record is changed
 * last, so that a crash in between repeats this step.
 */
export function formerToken(paths: NodePaths, token: string, needs: readonly string[]): Resource {
  const { slipway, k3s } = paths;
  return {
    id: 'Restore/token',
    summary: `put the token ${token} of the copy back; its rotation begins anew after the restore`,
    condition: 'K3sRunning',
    needs,
    async check(host) {
      const record = await rotationFrom(host, paths, token);
      if (record === undefined) {
        return inSync();
      }
      const changes = [{ field: 'token', observed: record.to, desired: record.from }];
      return {
        state: 'Drifted',
        drift: {
          changes,
          async remedy(changing) {
            const content = new Secret(`${record.tokens.from.trim()}\n`);
            await changing.writeFile(slipway.joinToken, content, { mode: 0o600 });
            await changing.writeFile(k3s.serverToken, content, { mode: 0o600 });
            const { from, to, tokens } = record;
            await writeRotation(changing, paths, { from, to, tokens, state: 'wanted' });
          },
        },
      };
    },
  };
}
