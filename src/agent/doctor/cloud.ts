import { hintsOf } from '../clouds/chosen.ts';
import type { Cloud } from '../clouds/cloud.ts';
import { NodeError, toNodeError } from '../engine/errors.ts';
import type { Host, HostReader, HttpResponse } from '../engine/host.ts';
import { chosenEngine } from '../gitops/chosen.ts';
import type { K3sNode } from '../node.ts';
import { fetchToken, installedVersion, releaseDownload, tokenSecretName } from '../parts/k3s/index.ts';
import { logIn, parseImage, pull, type RegistrySession } from '../parts/registry/index.ts';
import type { Settings } from '../settings/schema.ts';
import { failure, ok, type Probe, skipped, type Verdict, warning } from './probe.ts';

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
    ...(subject.node ? [] : [{ about, what: 'secrets', look: async () => skipped(unknownRole) }]),
    ...settings.registries.servers.flatMap((server) => registryProbes(subject, server)),
    { about, what: 'K3s release', look: () => lookAtRelease(subject) },
  ];
}

/** Of no other tag is the value told: somebody may have put a token there. */
const readTags = ['k3s-role', 'k3s-server', 'k3s-version'];

async function lookAtIdentity(cloud: Cloud): Promise<Verdict> {
  const { computerName, location, tags } = await cloud.identity();
  const told = Object.entries(tags).filter(([name]) => readTags.includes(name));
  const shown = told.map(([name, value]) => `${name}=${value}`).join(', ') || 'no tag k3s-role';
  return ok(`${[computerName, location].filter(Boolean).join(' in ')}; ${shown}`);
}

/** An agent is not to be told that it needs the server's token. */
const unknownRole = 'what this VM may read depends on its role, which is not known';

function secretsOf({ settings, node }: CloudProbes): readonly string[] {
  if (!node) return [];
  const { agentSecretName } = settings.joinToken;
  const agents = node.role.k3s === 'server' && agentSecretName !== undefined ? [agentSecretName] : [];
  const git = node.role.gitops ? chosenEngine(settings.gitops).secrets : [];
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
    session = {
      host,
      server,
      hints: hintsOf(settings),
      login: { username: cloud.registryUser(server), password },
    };
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
  try {
    return await lookAtChecksums(host, node);
  } catch (thrown) {
    if ((await installedVersion(host, node.paths)) !== node.version) throw thrown;
    const { reason, message } = toNodeError(thrown);
    return { ...warning(`K3s is installed all the same. ${message}`), reason };
  }
}

async function lookAtChecksums(host: HostReader, node: K3sNode): Promise<Verdict> {
  const { checksum } = releaseDownload(node);
  const { status, body } = await followed(host, checksum.url);
  const { host: mirror } = new URL(checksum.url);
  const repair = 'set k3s.version to a release that exists, or k3s.releaseUrl to where yours are';
  if (status !== 200) return failure(`${checksum.url} answers ${status}.`, repair);
  const isListed = body.split('\n').some((line) => line.trim().endsWith(` ${checksum.name}`));
  if (!isListed) return failure(`${checksum.url} does not name ${checksum.name}.`, repair);
  return ok(`${node.version} is at ${mirror}`);
}

/** Releases are kept elsewhere than at their own address; from https a download goes nowhere else (host/transfer.ts). */
async function followed(host: HostReader, url: string, redirects = 5): Promise<HttpResponse> {
  const response = await host.get({ url });
  const { location } = response.headers;
  if (response.status < 300 || response.status > 399 || location === undefined || redirects === 0)
    return response;
  const next = new URL(location, url);
  const isWorse = next.protocol !== 'https:' && url.startsWith('https:');
  return isWorse ? response : followed(host, next.href, redirects - 1);
}
