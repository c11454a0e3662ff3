import type { TokenCredential } from '@azure/identity';
import { NodeError, Recorded } from '../../engine/errors.ts';
import type { Host, HttpResponse } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import { quoted, redirection, refusalOf } from '../answers.ts';
import { registryTrouble, registryUnreachable } from '../registry-errors.ts';
import { azureHints as hints } from './hints.ts';
import { askedOnce, azureHttpClient } from './http-client.ts';

export interface ImageDigestOptions {
  readonly host: Host;
  readonly credential: TokenCredential;
  readonly imdsEndpoint: string;
  /** The audience of registry tokens: `https://containerregistry.azure.net` in every Azure cloud. */
  readonly audience: string;
}

export interface ImageTag {
  readonly loginServer: string;
  readonly repository: string;
  readonly tag: string;
}

/**
 * Returns the digest of an image tag. Reads the digest from the manifest properties, with the VM's identity.
 *
 * Throws `PullDenied`, `ProofImageNotFound`, `RegistryForbidden`, `RegistryNotFound`, `RegistryUnavailable`,
 * `Throttled`, `TlsUntrusted`, `UnexpectedAnswer`, and the errors of the identity and of the proxy login. Both roles
 * that permit pulls, AcrPull and Container Registry Repository Reader, permit this read ("Azure Container Registry
 * roles directory reference").
 */
export async function imageDigest(options: ImageDigestOptions, image: ImageTag): Promise<string> {
  const { ContainerRegistryClient } = await import('@azure/container-registry');
  const { host, credential, imdsEndpoint, audience } = options;
  const { loginServer, repository, tag } = image;
  let outcome: HttpResponse | Error | undefined;
  // Makes a client for each call, because a reused client keeps its tokens, which may carry outdated permissions.
  const origin = `https://${loginServer}`;
  const client = new ContainerRegistryClient(origin, credential, {
    audience: audience.replace(/\/+$/, ''),
    httpClient: azureHttpClient({ host, imdsEndpoint, origin, observe: (seen) => (outcome = seen) }),
    ...askedOnce,
  });
  try {
    const { digest } = await client.getArtifact(repository, tag).getManifestProperties();
    return digest;
  } catch (thrown) {
    if (thrown === outcome && thrown instanceof NodeError) {
      throw registryUnreachable(thrown, { server: loginServer, hints });
    }
    if (thrown instanceof NodeError || thrown instanceof Recorded) {
      throw thrown;
    }
    if (outcome === undefined || outcome instanceof Error) {
      throw thrown;
    }
    throw digestRefused(outcome, image, host.now());
  }
}

function digestRefused(
  response: HttpResponse,
  { loginServer, repository, tag }: ImageTag,
  now: number,
): NodeError {
  const { status } = response;
  const { code, message } = refusalOf(response);
  const says = quoted(message || code);
  if (status === 401) {
    return new NodeError(
      'PullDenied',
      `${loginServer} does not let the identity of this VM see ${repository}:${tag}.${says} Assign it AcrPull, or Container Registry Repository Reader if the registry uses ABAC.`,
    );
  }
  if (status === 404) {
    return new NodeError(
      'ProofImageNotFound',
      `${loginServer} has no ${repository}:${tag}.${says} Check registries.proof.`,
      forPerson,
    );
  }
  return (
    registryTrouble(response, { server: loginServer, hints }, now) ??
    new NodeError(
      'UnexpectedAnswer',
      `What answers at ${loginServer} does not answer as an Azure container registry does: status ${status}.${says}${redirection(response, `https://${loginServer}`)}`,
      forPerson,
    )
  );
}
