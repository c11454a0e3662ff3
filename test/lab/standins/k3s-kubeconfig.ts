/**
 * Renders a kubeconfig as K3s writes it. Flux's stand-in finds the cluster's objects in the folder `objects`, or in the
 * etcd at the URL `etcd`.
 */
import { stringify } from 'yaml';

export function kubeconfig(spec: {
  readonly server: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  readonly objects?: string;
  readonly etcd?: string | undefined;
}): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      clusters: [
        { cluster: { 'certificate-authority-data': base64(spec.ca), server: spec.server }, name: 'default' },
      ],
      contexts: [{ context: { cluster: 'default', user: 'default' }, name: 'default' }],
      'current-context': 'default',
      kind: 'Config',
      users: [
        {
          name: 'default',
          user: {
            'client-certificate-data': base64(spec.certificate),
            'client-key-data': base64(spec.key),
          },
        },
      ],
      ...(spec.objects === undefined
        ? {}
        : { extensions: [{ name: 'slipway-lab', extension: { objects: spec.objects, etcd: spec.etcd } }] }),
    },
    { lineWidth: 0 },
  );
}
