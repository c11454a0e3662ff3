import type { Cloud } from '../../../clouds/cloud.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Image } from '../oci/registry-manifest.ts';
import { renewal } from './pull-errors.ts';

/**
 * What the identity itself sees of an image that was pulled, as a remark: a pull that worked is not doubted for it.
 * Nothing where the cloud has no such view.
 */
export async function identityRemark(cloud: Cloud, image: Image, digest: string): Promise<string> {
  const seen = await look(cloud, image);
  if (seen === undefined) return '';
  if (seen instanceof NodeError) return `; the identity's own look at it failed: ${seen.reason}`;
  return seen === digest ? '; the identity sees it too' : `; the identity sees ${seen} there, a moved tag`;
}

/**
 * The trouble of a pull that was refused, and whether it is the identity's: `PullDenied` where it has no access itself,
 * else the credential in the file is an older one, or of another identity. Other trouble stays as it is.
 */
export async function withIdentity(cloud: Cloud, image: Image, failure: NodeError): Promise<NodeError> {
  const { reason, message, endedBy, retry } = failure;
  if (reason !== 'PullDenied' && reason !== 'PullCredentialRefused') return failure;
  const seen = await look(cloud, image);
  if (typeof seen === 'string') {
    const more = `The identity of this VM does see ${image.name}, so the file holds an older credential, or one of another identity.${reason === 'PullDenied' ? ` ${renewal}` : ''}`;
    return new NodeError(reason, `${message} ${more}`, { endedBy, retry, cause: failure });
  }
  if (seen === undefined || !['PullDenied', 'RegistryUnauthorized'].includes(seen.reason)) return failure;
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
    if (thrown instanceof NodeError) return thrown;
    throw thrown;
  }
}
