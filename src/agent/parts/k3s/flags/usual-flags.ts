import type { K3sNode } from '../../../node.ts';

/** Returns the paths that K3s uses if no flag changes them, by the name of that flag. */
export function usualFlags({ paths }: Pick<K3sNode, 'paths'>): Readonly<Record<string, readonly string[]>> {
  const { k3s } = paths;
  return {
    config: [k3s.config],
    'data-dir': [k3s.data],
    'private-registry': [k3s.registries],
    'write-kubeconfig': [k3s.kubeconfig],
    'image-credential-provider-config': [k3s.credentialProvider],
    'image-credential-provider-bin-dir': [k3s.credentialProviderBin],
  };
}
