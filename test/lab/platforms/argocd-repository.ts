/**
 * The Git repository that Argo CD follows on a platform: the repository in the first example of docs/usage/argocd.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import * as z from 'zod/mini';
import type { HasFiles } from '../cluster-secrets.ts';
import { lengthened } from '../limits.ts';
import type { LabNode } from '../node.ts';

const page = join(import.meta.dirname, '../../../docs/usage/argocd.md');
const gitFolder = '/var/lib/rancher/k3s/server/db/git';

const argocd = z.object({ url: z.string(), path: z.string(), tokenSecretName: z.string() });
const gitops = z.object({ engine: z.literal('argocd'), argocd });

/** Returns the setting `gitops` in the first example of docs/usage/argocd.md. */
export function exampleGitOps(): z.output<typeof gitops> {
  const [, example = ''] = /^```yaml\n([\s\S]*?)^```/m.exec(readFileSync(page, 'utf8')) ?? [];
  return z.parse(z.object({ gitops }), parse(example)).gitops;
}

/**
 * Writes the repository that the settings name, with one ConfigMap, to the lab's Git host, which is a folder on the
 * server node.
 */
export function writeRepository(server: HasFiles, { argocd }: z.output<typeof gitops>): void {
  const { host, pathname } = new URL(argocd.url);
  const branch = join(gitFolder, host, pathname.replace(/\.git$/, ''), 'main');
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'fleet', namespace: 'argocd' },
    data: { from: argocd.url },
  };
  server.write(join(branch, argocd.path, 'fleet.yaml'), stringify(config));
}

const application = z.object({
  status: z.object({
    sync: z.object({ status: z.string(), revision: z.optional(z.string()) }),
    health: z.object({ status: z.string() }),
  }),
});

/**
 * Resolves to lines about the root Application once the server's condition GitOps is True; rejects after two minutes
 * (see limits.ts).
 */
export async function argocdLines(server: LabNode): Promise<readonly string[]> {
  const gitOps = () => server.status()?.conditions.find(({ type }) => type === 'GitOps');
  for (const end = Date.now() + lengthened(120_000); gitOps()?.status !== 'True'; await sleep(200)) {
    if (Date.now() > end) {
      throw new Error(`GitOps is not True: ${JSON.stringify(gitOps())}`);
    }
  }
  const { status } = await rootApplication(server);
  const { sync, health } = status;
  return [`root: ${sync.status} at ${sync.revision?.slice(0, 7)}, ${health.status}`];
}

/** Reads the root Application with kubectl on the server; rejects if the cluster does not have it. */
export async function rootApplication(server: LabNode): Promise<z.output<typeof application>> {
  const { stdout } = await server.run('kubectl', ...'get application root -n argocd -o json'.split(' '));
  return z.parse(application, JSON.parse(stdout));
}
