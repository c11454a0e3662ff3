/** The world of every measurement: the executable, the lab with a joined agent, and its emulated endpoints. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packaged } from '../lab/executable.ts';
import { type Lab, loginServer, startLab } from '../lab/lab.ts';
import { type Bareness, Notifications } from './bare-node.ts';

export interface World {
  readonly executable: string;
  readonly lab: Lab;
  readonly dir: string;
  readonly bareness: Bareness;
  readonly notifications: Notifications;
  readonly hasAzureCli: boolean;
  /** The environment of the curl and jq scripts and of the Azure CLI. */
  readonly scriptEnvironment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startWorld(options: { readonly hasAzureCli: boolean }): Promise<World> {
  const dir = join(tmpdir(), `slipway-bench-${process.pid}`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  const lab = await joinedLab(join(dir, 'lab'));
  const { azure } = lab;
  const notifications = new Notifications(dir);
  const settings = join(lab.node('agent').root, 'etc/slipway/config.yaml');
  return {
    executable: packaged,
    lab,
    dir,
    bareness: { dir, settings, notifySocket: notifications.path },
    notifications,
    ...options,
    scriptEnvironment: {
      IMDS: azure.imdsUrl('agent'),
      PROXY: azure.proxyUrl,
      CA: azure.caFile,
      VAULT: `https://${azure.vault().host}`,
      REGISTRY: loginServer,
      ...forAzureCli(azure, dir),
    },
    stop: async () => {
      notifications.close();
      await lab.stop();
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * Starts a server and agents; resolves when all are Ready. Each daemon runs a separate copy of the executable, so that
 * they share no memory page.
 */
export async function joinedLab(
  dir: string,
  nodes: readonly ('server' | 'agent' | 'observability')[] = ['server', 'agent'],
): Promise<Lab> {
  const script = '[ -e "$3/.lab/slipway" ] || cp "$0" "$3/.lab/slipway"; exec "$3/.lab/slipway" "$@"';
  const lab = await startLab({ dir, nodes, executable: ['/bin/sh', '-c', script, packaged] });
  keepCertificates(lab, nodes);
  lab.start();
  // A busy machine may take longer than the time that the lab allows.
  await lab.waitReady().catch(() => lab.waitReady());
  return lab;
}

/** Makes the certificates of K3s outlive the simulated days, in which K3s is not restarted. */
function keepCertificates(lab: Lab, nodes: readonly string[]): void {
  for (const node of nodes) {
    const directory = join(lab.node(node).root, 'etc/default');
    mkdirSync(directory, { recursive: true });
    const unit = node === 'server' ? 'k3s' : 'k3s-agent';
    writeFileSync(join(directory, unit), 'CATTLE_NEW_SIGNED_CERT_EXPIRATION_DAYS=3650\n');
  }
}

/**
 * Returns the variables of the Azure CLI and of its Python libraries, MSAL and requests. The directory for its state is
 * new, so that no earlier sign-in is used.
 */
function forAzureCli(azure: Lab['azure'], dir: string): Record<string, string> {
  return {
    AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.imdsUrl('agent'),
    AZURE_CONFIG_DIR: join(dir, 'az'),
    AZURE_CORE_COLLECT_TELEMETRY: 'false',
    HTTPS_PROXY: azure.proxyUrl,
    NO_PROXY: '127.0.0.1,169.254.169.254',
    REQUESTS_CA_BUNDLE: azure.caFile,
  };
}
