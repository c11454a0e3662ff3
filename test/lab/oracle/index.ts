/**
 * A small Oracle Cloud on loopback: a metadata service for each VM, and the federation endpoint, the vault and the
 * registries of one region. Clients reach all services except the metadata services by their real host names through a
 * proxy, over TLS with certificates from the lab's CA. The services are strict: they verify signatures, digests, dates
 * and certificates, and refuse what the real services refuse.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Faults, type Incoming, type LoggedRequest, type Reply, startLoopback } from '../azure/loopback.ts';
import { startProxy } from '../azure/proxy.ts';
import { createAuthority, type ServerCertificate } from '../azure/tls.ts';
import { Federation } from './federation.ts';
import { type OracleImds, type OracleVm, startOracleImds } from './imds.ts';
import { answerOracleRegistry, OracleRegistry } from './registry.ts';
import { notAuthenticated } from './signatures.ts';
import { answerVault, OracleVault } from './vault.ts';

export interface OracleOptions {
  /** The VMs, by name. Omitted fields get a default. */
  readonly nodes?: Readonly<Record<string, Partial<OracleVm>>>;
  /** The secrets of the vault, by name. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** The login servers of the registries. */
  readonly registries?: readonly string[];
  readonly region?: string;
  /** The domain of the realm; `oraclecloud.com` by default. */
  readonly domain?: string;
  readonly now?: () => number;
}

export interface Oracle {
  /** The value for `network.proxy`. */
  readonly proxyUrl: string;
  /** The value for `network.caFile`. */
  readonly caFile: string;
  readonly federation: Federation;
  readonly vault: OracleVault;
  /** The faults of the federation endpoint and of the vault. */
  readonly faults: { readonly federation: Faults; readonly vault: Faults };
  /** Every request that reached a server, oldest first. */
  readonly requests: LoggedRequest[];
  /** Returns all secret values, tokens and private keys so far. None of them may leak. */
  canaries(): readonly string[];
  node(name: string): OracleImds;
  registry(loginServer?: string): OracleRegistry;
  /** Grants a node a permission, or revokes it if `permitted` is false. */
  permit(node: string, permission: string, permitted?: boolean): void;
  /** Issues a server certificate from the lab's CA, for an additional server. */
  issue(names: readonly string[]): ServerCertificate;
  /**
   * Makes the proxy route `host:port` to a port on loopback; if the port is `undefined`, the proxy forgets the
   * destination.
   */
  route(destination: string, port: number | undefined): void;
  /** The loopback port of each `host:port` that the proxy routes. */
  readonly routes: ReadonlyMap<string, number | undefined>;
  stop(): Promise<void>;
}

export async function startOracle(options: OracleOptions = {}): Promise<Oracle> {
  const { nodes = {}, registries = [], now = Date.now } = options;
  const { region = 'eu-frankfurt-1', domain = 'oraclecloud.com' } = options;
  const folder = await mkdtemp(join(tmpdir(), 'slipway-oracle-'));
  const log: LoggedRequest[] = [];
  const authority = createAuthority();
  const names = { auth: `auth.${region}.${domain}`, vault: `secrets.vaults.${region}.oci.${domain}` };
  const tls = authority.issue([names.auth, names.vault, ...registries]);
  const federation = new Federation({ tenancy: `ocid1.tenancy.oc1..${unique()}`, now });
  const vault = new OracleVault(`ocid1.vault.oc1.${region}.${unique()}.${unique()}`);
  for (const [name, value] of Object.entries(options.secrets ?? {})) {
    vault.set(name, value);
  }
  const faults = { federation: new Faults(), vault: new Faults(), registry: new Faults() };
  const loginServers = registries.map((loginServer) => new OracleRegistry(loginServer, faults.registry));
  const start = (name: keyof typeof faults, answer: (request: Incoming) => Reply) =>
    startLoopback({ name, log, faults: faults[name], tls, answer });

  const imds = await Promise.all(
    Object.entries(nodes).map(([name, given]) => {
      const vm = { ...usualVm(name, federation, { region, domain }), ...given };
      return startOracleImds({ vm, federation, log });
    }),
  );
  const servers = await Promise.all([
    start('federation', (request) => federation.answer(request)),
    start('vault', (request) => {
      const caller = federation.caller(request);
      return caller ? answerVault(request, caller, [vault], now()) : notAuthenticated(now());
    }),
    start('registry', (request) => {
      const registry = loginServers.find(({ loginServer }) => loginServer === request.host);
      const caller = (asked: Incoming) => federation.caller(asked);
      return registry
        ? answerOracleRegistry(request, { registry, signer: federation.signer, caller, now: now() })
        : { status: 404, body: '' };
    }),
  ]);
  const proxy = await startProxy({ log, suffixes: [domain, 'ocir.io'] });
  proxy.route(`${names.auth}:443`, servers[0].port);
  proxy.route(`${names.vault}:443`, servers[1].port);
  for (const { loginServer } of loginServers) {
    proxy.route(`${loginServer}:443`, servers[2].port);
  }
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, authority.certificate);
  const node = (name: string) =>
    the(
      imds.find(({ vm }) => vm.name === name),
      `node ${name}`,
    );
  return {
    proxyUrl: proxy.url,
    caFile,
    federation,
    vault,
    faults,
    requests: log,
    canaries: () => [
      ...vault.values,
      ...federation.issued,
      ...federation.keys,
      ...loginServers.flatMap(({ issued }) => issued),
    ],
    node,
    registry: (name) =>
      the(
        loginServers.find(({ loginServer }) => !name || loginServer === name),
        `registry ${name}`,
      ),
    permit: (name, permission, permitted) => federation.permit(node(name).vm.id, permission, permitted),
    issue: authority.issue,
    route: proxy.route,
    routes: proxy.routes,
    stop: async () => {
      await Promise.all([...imds, ...servers, proxy].map((each) => each.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function usualVm(name: string, federation: Federation, place: Pick<OracleVm, 'region' | 'domain'>): OracleVm {
  const id = `ocid1.instance.oc1.${place.region}.${unique()}`;
  const compartment = `ocid1.compartment.oc1..${unique()}`;
  return {
    name,
    id,
    compartment,
    hostname: name,
    ...place,
    addresses: ['10.0.2.10'],
    freeformTags: {},
    definedTags: {},
    identity: federation.certify({ id, compartment }),
  };
}

function unique(): string {
  return randomBytes(10).toString('hex');
}

function the<Thing>(found: Thing | undefined, what: string): Thing {
  if (found === undefined) {
    throw new Error(`The lab has no ${what}.`);
  }
  return found;
}
