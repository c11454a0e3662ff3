import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { bootstrapArguments } from '../../src/agent/gitops/flux/flux-arguments.ts';
import { fluxProviders } from '../../src/agent/gitops/flux/providers.ts';
import type { FluxSettings } from '../../src/agent/gitops/flux/settings.ts';
import { kubeconfig } from '../lab/standins/k3s-kubeconfig.ts';
import { type ApiObject, type Objects, openObjects } from '../lab/standins/k3s-objects.ts';
import { fluxSettings } from '../unit/agent/gitops/flux/settings.ts';
import { type Ended, run } from './gitops-flux-cli.ts';

/** The only token that the Git host of the lab accepts. */
export const labToken = 'the-one-token';

/** An API, a Git host and a flux stand-in. */
export interface FluxLab {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly objects: Objects;
  /**
   * Runs `flux bootstrap` with the arguments that result from these changes to the settings; the default token is the
   * one that the Git host accepts.
   */
  bootstrap(
    changes?: Partial<FluxSettings>,
    given?: { readonly token?: string; readonly caFile?: string },
  ): Promise<Ended>;
  /**
   * Returns an object in the namespace flux-system, by default with the name flux-system; `undefined` if it does not
   * exist.
   */
  found(kind: string, name?: string): ApiObject | undefined;
  close(): Promise<void>;
}

/** Starts a lab in a new folder below `parent`; `flux` is the path of the flux executable. */
export async function fluxLab(parent: string, flux: string): Promise<FluxLab> {
  const folder = mkdtempSync(join(parent, 'lab-'));
  const api = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const objects = openObjects(join(folder, 'objects'));
  const path = join(folder, 'k3s.yaml');
  writeFileSync(join(folder, 'git-token.sha256'), createHash('sha256').update(labToken).digest('hex'));
  writeFileSync(path, labKubeconfig(folder, `https://127.0.0.1:${portOf(api)}`));
  return {
    folder,
    kubeconfig: path,
    objects,
    bootstrap(changes = {}, { token = labToken, caFile } = {}) {
      const { variable } = fluxProviders[changes.provider ?? 'github'];
      return run(flux, bootstrapArguments(fluxSettings(changes), path, caFile), { [variable]: token });
    },
    found: (kind, name = 'flux-system') => objects.get(kind, 'flux-system', name),
    close: () => new Promise((resolve) => api.close(() => resolve())),
  };
}

/** Renders a kubeconfig that names `server` and makes the stand-ins read the objects in a lab's folder. */
export function labKubeconfig(folder: string, server: string): string {
  return kubeconfig({ server, ca: '', certificate: '', key: '', objects: join(folder, 'objects') });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
