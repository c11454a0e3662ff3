/** The password of each node name, until its Node is deleted (pkg/nodepassword). */
import { createHash } from 'node:crypto';
import type { Objects } from './k3s-objects.ts';

/** True if the password is that of the node; the first password of a name is stored. */
export function hasPassword(objects: Objects, name: string, password: string): boolean {
  const secret = `${name}.node-password.k3s`;
  const hash = Buffer.from(createHash('sha256').update(`${name}:${password}`).digest('hex')).toString(
    'base64',
  );
  const known = objects.get('secrets', 'kube-system', secret);
  if (known === undefined) {
    objects.put('secrets', 'kube-system', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: secret, namespace: 'kube-system' },
      type: 'k3s.cattle.io/node-password',
      immutable: true,
      data: { hash },
    });
  }
  return known === undefined || Object(known.data).hash === hash;
}
