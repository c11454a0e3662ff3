import * as z from 'zod/mini';
import { type Clouds, clouds } from '../clouds/index.ts';
import { metadataAddresses } from '../clouds/sections.ts';
import { enginePlainHttp } from '../gitops/sections.ts';
import { url } from './address-forms.ts';
import { consentAdvice, isConsented } from './consents.ts';
import { mapAt, type Path, valueAt } from './path.ts';
import type { Problem } from './problem.ts';

/**
 * Lists the URLs without TLS by which anyone on the network path could replace what runs as root or read a credential,
 * unless `consent.plainHttp` names them. This machine and the metadata services of clouds are exempt.
 */
export function plainHttpMisfits(written: unknown, table: Clouds = clouds): readonly Problem[] {
  const settings = { consent: mapAt(written, ['consent']) };
  const uses = [
    ...fixedUses,
    ...cloudUses(table),
    ...proxyLogins(written),
    ...mirrorLogins(written),
    ...snapshots(written),
  ];
  const exempt = metadataAddresses(table);
  return uses.flatMap(({ path, risk, address = valueAt(written, path) }) => {
    const host = exposedHost(address, exempt);
    if (typeof address !== 'string' || host === undefined) return [];
    if (isConsented(settings, 'plainHttp', address)) return [];
    const why = `is plain http: anyone between this node and ${host} could ${risk}`;
    return [{ path, message: `${why}; use https, or ${consentAdvice(settings, 'plainHttp', address)}` }];
  });
}

/** A URL in the settings, and what plain http lets others do there. */
interface Use {
  readonly path: Path;
  /** What stands at `path` unless given here. */
  readonly address?: string;
  readonly risk: string;
}

const fixedUses: readonly Use[] = [
  { path: ['k3s', 'releaseUrl'], risk: 'replace K3s, which runs as root' },
  ...enginePlainHttp(),
];

function cloudUses(table: Clouds): readonly Use[] {
  return Object.entries(table).flatMap(([name, { plainHttp }]) =>
    plainHttp.map(({ setting, risk }) => ({ path: [name, setting], risk })),
  );
}

function proxyLogins(written: unknown): readonly Use[] {
  const file = mapAt(written, ['network']).proxyCredentialsFile ?? undefined;
  const risk = 'read the login of network.proxyCredentialsFile';
  return file === undefined ? [] : [{ path: ['network', 'proxy'], risk }];
}

/** A snapshot of etcd is the whole cluster. K3s takes the endpoint without a scheme (pkg/cli/cmds/server.go, etcd-s3). */
function snapshots(written: unknown): readonly Use[] {
  const config = mapAt(written, ['k3s', 'config']);
  if (String(config['etcd-s3-insecure']) !== 'true') return [];
  const address = `http://${config['etcd-s3-endpoint'] ?? 's3.amazonaws.com'}`;
  const risk = 'read the snapshots, which hold every secret of the cluster, and replace what is restored';
  return [{ path: ['k3s', 'config', 'etcd-s3-insecure'], address, risk }];
}

/**
 * Containerd looks up the login for a mirror by the host and port of its URL (containerd,
 * internal/cri/server/images/image_pull.go). Mirrors of login servers are subject to `consent.foreignMirrors`.
 */
function mirrorLogins(written: unknown): readonly Use[] {
  const servers = listAt(written, ['registries', 'servers']);
  const configs = Object.entries(mapAt(written, ['registries', 'configs']));
  const known = configs.filter(([, config]) => isGiven(config, ['auth'])).map(([name]) => name);
  return Object.keys(mapAt(written, ['registries', 'mirrors'])).flatMap((name) => {
    const logins = servers.includes(name.replace(/:\d+$/, '')) ? known : [...known, ...servers];
    return listAt(written, ['registries', 'mirrors', name, 'endpoint']).flatMap((endpoint, at) => {
      const registry = URL.parse(String(endpoint))?.host ?? '';
      const isKnown = logins.some((login) => login === '*' || withoutHttpPort(String(login)) === registry);
      const path = ['registries', 'mirrors', name, 'endpoint', at];
      return isKnown ? [{ path, risk: `read the login for ${registry}` }] : [];
    });
  });
}

/** The host of a plain-http URL outside this machine. A value that is not a valid URL is for the forms to refuse. */
function exposedHost(address: unknown, exempt: readonly string[]): string | undefined {
  const { success, data } = z.safeParse(url, address);
  const { protocol, hostname, host } = (success ? URL.parse(data) : undefined) ?? {};
  if (protocol !== 'http:' || hostname === undefined) return undefined;
  return isLocal(hostname) || exempt.includes(hostname) ? undefined : host;
}

/** `hostname` is as `URL` writes it, so `127.1` is 127.0.0.1 here. */
function isLocal(hostname: string): boolean {
  return ['localhost', '[::1]'].includes(hostname) || /^127(\.\d+){3}$/.test(hostname);
}

function withoutHttpPort(registry: string): string {
  return registry.replace(/:80$/, '');
}

function isGiven(data: unknown, path: Path): boolean {
  return (valueAt(data, path) ?? null) !== null;
}

function listAt(data: unknown, path: Path): readonly unknown[] {
  const found = valueAt(data, path);
  return Array.isArray(found) ? found : [];
}
