import * as z from 'zod/mini';
import { sha256 } from '../../engine/digest.ts';
import { Secret, sensitive } from '../../engine/secret.ts';
import type { WishedSecret } from './wished-secret.ts';

/** The annotations of the Secrets that Slipway keeps. */
export const secretAnnotations = {
  /** A digest of the values. */
  digest: 'slipway.dev/digest',
  /** A digest of everything in the `WishedSecret` except the values. */
  form: 'slipway.dev/form',
  /** A digest of the versions in the vault, if the vault shows them. */
  versions: 'slipway.dev/versions',
} as const;

/**
 * Renders a Secret for server-side apply. Puts the values into `data`, because a later apply cannot remove keys that an
 * apply wrote as `stringData`.
 */
export function secretObject(
  wish: WishedSecret,
  values: Readonly<Record<string, Secret>>,
  versions: string | undefined,
): Secret {
  const annotations = {
    [secretAnnotations.digest]: digestOf(values),
    [secretAnnotations.form]: wish.form,
    ...(versions !== undefined && { [secretAnnotations.versions]: versions }),
  };
  const { namespace, name, labels, type } = wish;
  return sensitive((show) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace, labels, annotations },
      type,
      data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, show(base64(value))])),
    }),
  );
}

function base64(value: Secret): Secret {
  return new Secret(Buffer.from(value.reveal()).toString('base64'));
}

/** Returns a digest of all values. An account that may read the annotations may also read the values. */
function digestOf(values: Readonly<Record<string, Secret>>): string {
  const pairs = Object.entries(values).map(([key, value]) => [key, value.reveal()]);
  return sha256(JSON.stringify(pairs.toSorted()));
}

const texts = z.nullish(z.record(z.string(), z.string()));

/** The metadata of a Secret as the API sends it. */
export const secretMetadata = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.optional(z.string()),
    labels: texts,
    annotations: texts,
    managedFields: z.nullish(
      z.array(
        z.object({
          manager: z.optional(z.string()),
          operation: z.optional(z.string()),
          fieldsV1: z.nullish(z.looseObject({ 'f:data': z.optional(z.record(z.string(), z.unknown())) })),
        }),
      ),
    ),
  }),
});

export type SecretMetadata = z.output<typeof secretMetadata>['metadata'];
