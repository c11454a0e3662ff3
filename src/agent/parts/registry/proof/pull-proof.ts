import { isDeepStrictEqual } from 'node:util';
import { hintsOf } from '../../../clouds/chosen.ts';
import type { Cloud } from '../../../clouds/cloud.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { Secret } from '../../../engine/secret.ts';
import { forPerson } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { nonBlocking } from '../../../resources/combinators.ts';
import { fileText } from '../../../resources/file-text.ts';
import { lastTime } from '../../../resources/last-time.ts';
import { type Image, parseImage } from '../oci/registry-manifest.ts';
import { type Pulled, pull } from '../oci/registry-pull.ts';
import { logIn, type RegistrySession } from '../oci/registry-session.ts';
import { type Login, parseRegistries } from '../registries-yaml.ts';
import { loginEnds } from '../start-inputs.ts';
import { identityRemark, withIdentity } from './identity-view.ts';
import { credentialDigest, type Proof, readProof, writeProof } from './pull-record.ts';

interface Subject {
  readonly node: K3sNode;
  readonly cloud: Cloud;
  /** The login server. */
  readonly server: string;
  /** The images in registries.proof that belong to this server. */
  readonly images: readonly string[];
}

/**
 * Checks each login server's credential in registries.yaml once: begins to pull the server's images in registries.proof
 * with the credential, or only logs in if registries.proof names none of them.
 *
 * A failure blocks nothing, does not affect K3s, and is retried. Its reason is `PullCredentialRefused` for an expired
 * credential, otherwise one of the reasons of `pull` and `logIn`.
 */
export function pullProofs(node: K3sNode, cloud: Cloud, needs: readonly string[]): readonly Resource[] {
  const { servers, proof } = node.settings.registries;
  return servers.map((server) => {
    const images = proof.filter((image) => parseImage(image).server === server);
    return nonBlocking({
      id: `PullProof/${server}`,
      summary: images.length > 0 ? `prove a pull of ${images.join(', ')}` : `prove the login to ${server}`,
      condition: 'Pulls',
      needs,
      check: (host) => check(host, { node, cloud, server, images }),
    });
  });
}

async function check(host: HostReader, subject: Subject): Promise<Finding> {
  const { node, server, images } = subject;
  const held = await readLogin(host, subject);
  if (!held) {
    return waiting('Blocked', notHeld(subject), { after: 60_000, blocks: false });
  }
  const { login, ends } = held;
  if (host.now() >= ends) {
    throw ended(server, ends);
  }
  const credential = credentialDigest(login.username, login.password.reveal());
  const record = await readProof(host, node.paths.slipway.pullProof, server);
  const isKnown = record?.credential === credential && isDeepStrictEqual(record.images, images);
  if (isKnown && !record.refused) {
    return inSync({ message: `${record.result} with the credential ${endOf(ends)}`, until: ends });
  }
  const changes = [{ field: 'pulls', observed: observedOf(record, credential), desired: 'proven' }];
  const remedy = async (host: Host) => {
    const write = (proof: Pick<Proof, 'result' | 'refused'>) =>
      writeProof(host, node.paths.slipway.pullProof, server, { credential, images, ...proof });
    try {
      await write({
        result: await prove({ host, server, login, hints: hintsOf(node.settings) }, subject),
      });
    } catch (thrown) {
      if (!isRefusal(thrown)) {
        throw thrown;
      }
      await write({ result: `refused at ${timeOf(host)}`, refused: true });
      throw isKnown ? thrown : shortly(thrown);
    }
  };
  return { state: 'Drifted', drift: { changes, remedy } };
}

/**
 * Returns the server's login in registries.yaml; `undefined` if the file has none for the cloud's registry user. `ends`
 * comes from the login in the store with the same password, and is `Infinity` if the expiry is unknown.
 */
async function readLogin(
  host: HostReader,
  { node, cloud, server }: Subject,
): Promise<{ readonly login: Login; readonly ends: number } | undefined> {
  const text = await fileText(host, node.paths.k3s.registries);
  const { username, password } = parseRegistries(text)?.configs?.[server]?.auth ?? {};
  if (username !== cloud.registryUser(server) || !password) {
    return undefined;
  }
  const { [server]: ends = Number.POSITIVE_INFINITY } = await loginEnds(host, node.paths);
  return { login: { username, password: new Secret(password) }, ends };
}

function notHeld({ node, server }: Subject): string {
  return `${node.paths.k3s.registries} holds no credential for ${server} yet; the condition Registries says why.`;
}

/** Returns the error for an expired credential, which is not sent to the registry. */
function ended(server: string, ends: number): NodeError {
  return new NodeError(
    'PullCredentialRefused',
    `The credential for ${server} ended at ${new Date(ends).toISOString()}, and nothing can be pulled with it. The condition Registries says why there is no newer one.`,
    forPerson,
  );
}

function observedOf(record: Proof | undefined, credential: string): string | undefined {
  if (record?.credential !== credential) {
    return record && 'proven for another credential';
  }
  return record.refused ? 'refused' : 'proven for another image';
}

/**
 * True if a registry refused the credential, even if the refusal is only the cause of another error: see
 * `withIdentity`.
 */
function isRefusal(thrown: unknown): thrown is NodeError {
  const isRefused = (error: unknown) =>
    error instanceof NodeError && error.reason === 'PullCredentialRefused';
  return thrown instanceof NodeError && (isRefused(thrown) || isRefused(thrown.cause));
}

/**
 * Returns a copy of the error that is retried within seconds, so that the next pass soon withholds the refused
 * credential from kubelet.
 */
function shortly({ reason, message, cause }: NodeError): NodeError {
  return new NodeError(reason, message, { cause });
}

function endOf(ends: number): string {
  return ends <= lastTime ? `that ends ${new Date(ends).toISOString().slice(11, 16)}Z` : 'of registries.yaml';
}

async function prove(session: RegistrySession, { node, cloud, images }: Subject): Promise<string> {
  if (images.length === 0) {
    return proveLogin(session);
  }
  const results: string[] = [];
  for (const image of images.map(parseImage)) {
    results.push(await provePull(session, cloud, image, node.arch));
  }
  return results.join('; ');
}

async function proveLogin(session: RegistrySession): Promise<string> {
  const { host, server } = session;
  const wasAsked = await logIn(session);
  const what = wasAsked ? `logged in to ${server}` : `${server} asks for no login; it was reached`;
  return `${what} at ${timeOf(host)} (name an image of it in registries.proof, and a pull is proven)`;
}

async function provePull(
  session: RegistrySession,
  cloud: Cloud,
  image: Image,
  arch: K3sNode['arch'],
): Promise<string> {
  try {
    const pulled = await pull(session, image, arch);
    const remark = await identityRemark(cloud, image, pulled.digest);
    return `${image.name} pulled at ${timeOf(session.host)} (${told(pulled)}${remark})`;
  } catch (thrown) {
    throw thrown instanceof NodeError ? await withIdentity(cloud, image, thrown) : thrown;
  }
}

function timeOf(host: Host): string {
  return `${new Date(host.now()).toISOString().slice(11, 19)}Z`;
}

function told({ digest, layer, layers, bytes, size, from, anonymous }: Pulled): string {
  const part = `${sizeOf(bytes)} of ${sizeOf(size)} of layer ${layer} of ${layers} from ${from}`;
  return `${digest.slice(0, 'sha256:'.length + 12)}, ${part}${anonymous ? ', no login asked for' : ''}`;
}

function sizeOf(bytes: number): string {
  if (bytes < 1024) {
    return `${bytes} bytes`;
  }
  const [divisor, unit] = bytes < 1024 ** 2 ? [1024, 'KiB'] : [1024 ** 2, 'MiB'];
  return `${Number((bytes / divisor).toFixed(1))} ${unit}`;
}
