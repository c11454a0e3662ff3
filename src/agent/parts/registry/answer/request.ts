/** The version of kubelet's protocol for credential providers, in requests and responses. */
export const apiVersion = 'credentialprovider.kubelet.k8s.io/v1';

/**
 * Returns the registry for which kubelet requests a credential, from the text of its request. Ignores unknown fields,
 * since later releases of Kubernetes may add fields to v1. If the request is invalid, throws an Error that states the
 * fault and its repair.
 *
 * Source: CredentialProviderRequest in k8s.io/kubelet/pkg/apis/credentialprovider/v1/types.go.
 */
export function requestedServer(text: string): string {
  if (text.trim() === '') {
    throw new Error(`the request on stdin is empty; ${called}`);
  }
  const { kind, apiVersion: version, image } = Object(parsed(text));
  if (kind !== 'CredentialProviderRequest') {
    throw new Error(`the request on stdin is not a CredentialProviderRequest; ${called}`);
  }
  if (version !== apiVersion) {
    throw new Error(
      `the request has the apiVersion ${named(version)}, but ${apiVersion} is the only one spoken here; set it in kubelet's CredentialProviderConfig`,
    );
  }
  if (typeof image !== 'string' || image === '') {
    throw new Error(`the request names no image; ${called}`);
  }
  return registryHost(image);
}

const called = 'kubelet calls this command; it is not meant to be run by hand';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`the request on stdin is not JSON; ${called}`);
  }
}

function named(version: unknown): string {
  return typeof version === 'string' ? `"${version.slice(0, 100)}"` : '(none)';
}

/**
 * Returns the registry of an image reference in lower case: the part before the first slash if it can be a host,
 * otherwise `docker.io`. Source: splitDockerDomain in github.com/distribution/reference, normalize.go.
 */
export function registryHost(image: string): string {
  const [first = '', ...path] = image.split('/');
  const isHost = path.length > 0 && (/[.:]/.test(first) || first.toLowerCase() === 'localhost');
  return isHost ? first.toLowerCase() : 'docker.io';
}
