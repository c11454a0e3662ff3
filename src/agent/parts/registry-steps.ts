import type { Cloud } from '../clouds/cloud.ts';
import type { Resource } from '../engine/resource.ts';
import type { K3sNode } from '../node.ts';
import { nonBlockingOnceJoined } from './k3s/index.ts';
import {
  credentialProvider,
  formerLoginsGone,
  loginsJudged,
  loginsRenewed,
  registriesFile,
} from './registry/index.ts';

export interface RegistryPorts {
  readonly cloud: Cloud;
  readonly rotateAt: (receivedAt: number, within: number) => number;
  /** Makes a Resource fail instead of replacing a file of an adopted K3s whose flags would be lost. */
  readonly keeping: (resource: Resource) => Resource;
}

/**
 * Returns the registry logins, and the files with which K3s and kubelet use them. The logins do not wait for the check
 * of the role: a running K3s needs them while RoleChanged waits for consent.
 */
export function registrySteps(node: K3sNode, { cloud, rotateAt, keeping }: RegistryPorts) {
  const joinedFirst = (resource: Resource) => nonBlockingOnceJoined(node, resource);
  const logins = [...loginsRenewed(node, { cloud, rotateAt }), ...loginsJudged(node)].map(joinedFirst);
  const ids = logins.map(({ id }) => id);
  return {
    logins,
    registries: registriesFile(node, ids).map((each) => joinedFirst(keeping(each))),
    former: formerLoginsGone(node, ids),
    provider: credentialProvider(node).map(joinedFirst),
  };
}
