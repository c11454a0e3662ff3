import type { Cloud } from '../cloud/cloud.ts';
import type { Settings } from '../config/schema.ts';
import { NodeError } from '../core/errors.ts';
import type { Host, HostReader, HttpResponse } from '../core/host.ts';
import { fetchToken, tokenSecretName } from '../k3s/join-token.ts';
import type { K3sNode } from '../k3s/node.ts';
import { parseImage } from '../k3s/registry-manifest.ts';
import { pull } from '../k3s/registry-pull.ts';
import { logIn, type RegistrySession } from '../k3s/registry-session.ts';
import { releaseDownload } from '../k3s/release.ts';
import { failure, ok, type Probe, skipped, type Verdict } from './probe.ts';

export interface CloudProbes {
  readonly host: Host;
  readonly cloud: Cloud;
  readonly settings: Settings;
  /** Absent where it is not known yet what this node is to be. */
  readonly node: K3sNode | undefined;
}

/** Everything that is asked of the cloud, from who this VM is to the bytes of an image, by the daemon's own code. */
export function cloudProbes(subject: CloudProbes): readonly Probe[] {
  const { cloud, settings } = subject;
  const about = 'cloud';
  return [
    { about, what: 'metadata service', look: () => lookAtIdentity(cloud) },
    ...secretsOf(subject).map((name) => ({
      about,
      what: `secret ${name}`,
      look: () => readSecret(subject, name),
    })),
    ...settings.registries.servers.flatMap((server) => registryProbes(subject, server)),
    { about, what: 'K3s release', look: () => lookAtRelease(subject) },
  ];
}

async function lookAtIdentity(cloud: Cloud): Promise<Verdict> {
  const { computerName, location, tags } = await cloud.identity();
  const told = Object.entries(tags).filter(([name]) => name.startsWith('k3s-'));
  const shown = told.map(([name, value]) => `${name}=${value}`).join(', ') || 'no tag k3s-role';
  return ok(`${[computerName, location].filter(Boolean).join(' in ')}; ${shown}`);
}

function secretsOf({ settings, node }: CloudProbes): readonly string[] {
  const { secretName, agentSecretName } = settings.joinToken;
  if (!node) return [secretName];
  const agents = node.role.k3s === 'server' && agentSecretName !== undefined ? [agentSecretName] : [];
  const { engine, flux } = settings.gitops;
  const git = node.role.gitops && engine === 'flux' ? [flux.tokenSecretName] : [];
  return [...new Set([tokenSecretName(node), ...agents, ...git])];
}

/** A join token is judged as well as read; nothing of a secret is told. */
async function readSecret({ host, cloud, settings }: CloudProbes, name: string): Promise<Verdict> {
  const { secretName, agentSecretName } = settings.joinToken;
  if (name === secretName || name === agentSecretName) await fetchToken(host, cloud, name);
  else if ((await cloud.secret(name)).reveal().trim() === '') throw empty(name);
  return ok('can be read');
}

function empty(name: string): NodeError {
  return new NodeError('SecretEmpty', `The secret ${name} is empty. Store its value in the vault.`);
}

function registryProbes(subject: CloudProbes, server: string): readonly Probe[] {
  const { host, cloud, settings, node } = subject;
  const images = settings.registries.proof.map(parseImage).filter((image) => image.server === server);
  let session: RegistrySession | undefined;
  const exchange = async () => {
    const password = await cloud.registryPassword(server);
    session = { host, server, login: { username: cloud.registryUser(server), password } };
    return ok("the identity's token was exchanged for a credential");
  };
  const withSession = async (use: (session: RegistrySession) => Promise<Verdict>) =>
    session ? use(session) : skipped('there is no credential to show');
  const about = 'cloud';
  return [
    { about, what: `exchange ${server}`, look: exchange },
    ...(images.length === 0
      ? [{ about, what: `login ${server}`, look: () => withSession(lookAtLogin) }]
      : images.map((image) => ({
          about,
          what: `pull ${image.name}`,
          look: () =>
            withSession(async (session) => {
              const { bytes, from, digest } = await pull(session, image, node?.arch ?? 'x64');
              return ok(`manifest ${digest.slice(0, 19)}, ${bytes} bytes of a layer from ${from}`);
            }),
        }))),
  ];
}

async function lookAtLogin(session: RegistrySession): Promise<Verdict> {
  const wasAsked = await logIn(session);
  return ok(
    wasAsked ? 'logged in; name an image in registries.proof to have a pull tried' : 'asks for no login',
  );
}

async function lookAtRelease({ host, node }: CloudProbes): Promise<Verdict> {
  if (!node) return skipped('the role, and so the release, is not known yet');
  const { checksum } = releaseDownload(node);
  const { status, body } = await followed(host, checksum.url);
  const { host: mirror } = new URL(checksum.url);
  const repair = 'set k3s.version to a release that exists, or k3s.releaseUrl to where yours are';
  if (status !== 200) return failure(`${checksum.url} answers ${status}.`, repair);
  const isListed = body.split('\n').some((line) => line.trim().endsWith(` ${checksum.name}`));
  if (!isListed) return failure(`${checksum.url} does not name ${checksum.name}.`, repair);
  return ok(`${node.version} is at ${mirror}`);
}

/** As a download goes (host/transfer.ts): releases are kept elsewhere than at their own address. */
async function followed(host: HostReader, url: string, redirects = 5): Promise<HttpResponse> {
  const response = await host.get({ url });
  const { location } = response.headers;
  if (response.status < 300 || response.status > 399 || location === undefined || redirects === 0)
    return response;
  return followed(host, new URL(location, url).href, redirects - 1);
}
