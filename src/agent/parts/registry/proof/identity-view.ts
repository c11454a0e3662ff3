import type { Cloud } from '../../../clouds/cloud.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Image } from '../oci/registry-manifest.ts';
import { renewal } from './pull-errors.ts';

/**
 * Returns a remark that states whether the identity itself sees a pulled image, and with which digest, or why this
 * check failed; an empty string if the cloud has no such check. The remark does not affect the result of the pull
 * check.
 */
export async function identityRemark(cloud: Cloud, image: Image, digest: string): Promise<string> {
  const seen = await look(cloud, image);
  if (seen === undefined) {
    return '';
  }
  if (seen instanceof NodeError) {
    return `; the identity's own look at it failed: ${seen.reason}`;
  }
  return seen === digest ? '; the identity sees it too' : `; the identity sees ${seen} there, a moved tag`;
}

/**
 * Returns the refusal of a pull with an explanation: `PullDenied` if the identity itself has no access; otherwise the
 * same reason, and the remark that the credential in registries.yaml is old or belongs to another identity. Returns any
 * other failure, and a refusal that the cloud cannot explain, unchanged.
 */
export async function withIdentity(cloud: Cloud, image: Image, failure: NodeError): Promise<NodeError> {
  const { reason, message, endedBy, retry } = failure;
  if (reason !== 'PullDenied' && reason !== 'PullCredentialRefused') {
    return failure;
  }
  const seen = await look(cloud, image);
  if (typeof seen === 'string') {
    const more = `The identity of this VM does see ${image.name}, so the file holds an older credential, or one of another identity.${reason === 'PullDenied' ? ` ${renewal}` : ''}`;
    return new NodeError(reason, `${message} ${more}`, { endedBy, retry, cause: failure });
  }
  if (seen === undefined || !['PullDenied', 'RegistryUnauthorized'].includes(seen.reason)) {
    return failure;
  }
  return new NodeError('PullDenied', `The identity itself has no access either. ${seen.message}`, {
    endedBy,
    retry,
    cause: failure,
  });
}

async function look(
  cloud: Cloud,
  { server, repository, tag }: Image,
): Promise<string | NodeError | undefined> {
  try {
    return await cloud.imageDigest(server, repository, tag);
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return thrown;
    }
    throw thrown;
  }
}
