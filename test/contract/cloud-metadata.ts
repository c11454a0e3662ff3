/** @module The contract between a cloud and its metadata service. */
import { afterEach, describe, expect, test } from 'vitest';
import type { CloudDriver, InterfaceAddress } from '../../src/agent/clouds/driver.ts';
import type { NodeError } from '../../src/agent/engine/errors.ts';
import type { HttpRequest } from '../../src/agent/engine/host.ts';
import { type CloudWorld, failure } from './cloud.ts';

/** A failure of the metadata service: no answer, or an answer without a document. */
export type MetadataFailure =
  | 'silence'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

/**
 * A cloud made by its driver, what its driver declares, the addresses of its machine, and the requests that it sends.
 */
export interface DrivenCloud extends CloudWorld {
  /** The addresses of the machine. */
  readonly addresses: readonly InterfaceAddress[];
  /** The source of tags according to the driver, and whether the settings contain tags. */
  readonly tags: { readonly from: CloudDriver['tags']; readonly areInSettings: boolean };
  /** How the cloud announces interruptions, according to the driver. */
  readonly announces: CloudDriver['events'];
  /** True if the driver declares a metadata service. */
  readonly hasMetadata: boolean;
  /** Returns the requests to the metadata service so far. */
  toMetadata(): readonly HttpRequest[];
  /** Returns all requests so far to other services. */
  toServices(): readonly HttpRequest[];
  /**
   * Returns the requests so far that look like metadata requests but go to no metadata service that the driver
   * declares.
   */
  undeclared(): readonly HttpRequest[];
  /** Makes the metadata service fail; `undefined` makes it answer again. */
  failMetadata(failure: MetadataFailure | undefined): void;
}

/** The failures of a metadata service, each with the expected error of `identity`. */
const metadataFailures: readonly (readonly [string, MetadataFailure, Partial<NodeError>])[] = [
  ['no answer', 'silence', { reason: 'IdentityUnavailable', endedBy: 'time' }],
  ['404', { status: 404 }, { reason: 'IdentityUnavailable', endedBy: 'time' }],
  ['500', { status: 500 }, { reason: 'IdentityUnavailable', endedBy: 'time' }],
  [
    '503 with Retry-After',
    { status: 503, headers: { 'retry-after': '7' } },
    { reason: 'IdentityUnavailable', endedBy: 'time', retry: { after: 7_000 } },
  ],
  [
    '429 with Retry-After',
    { status: 429, headers: { 'retry-after': '7' } },
    { reason: 'Throttled', endedBy: 'time', retry: { after: 7_000 } },
  ],
  ['400', { status: 400 }, { reason: 'UnexpectedAnswer', endedBy: 'person' }],
  ['403', { status: 403 }, { reason: 'UnexpectedAnswer', endedBy: 'person' }],
  [
    'a redirect',
    { status: 302, headers: { location: 'http://portal.example/' } },
    { reason: 'UnexpectedAnswer', endedBy: 'person' },
  ],
];

/** Checks how a cloud made by its driver uses its metadata service, or that it sends no metadata requests. */
export function metadataTests(world: () => DrivenCloud): void {
  describe('the metadata service', () => {
    afterEach(() => world().failMetadata(undefined));

    test('is asked for the identity if the driver declares a metadata service, and is never asked otherwise', async () => {
      await world().cloud.identity();
      expect(world().toMetadata().length > 0).toBe(world().hasMetadata);
    });

    test('is reached only at the address and the port that the driver names', async () => {
      await world().cloud.identity();
      await world().cloud.registryPassword(world().registry);
      expect(
        world()
          .undeclared()
          .map(({ url }) => url),
      ).toEqual([]);
    });

    test('is reached without the proxy, and has at most five seconds for each answer', async () => {
      await world().cloud.identity();
      await world().cloud.registryPassword(world().registry);
      await world().cloud.events?.list();
      const manners = world()
        .toMetadata()
        .map(({ direct = false, timeout = Number.POSITIVE_INFINITY }) => ({
          direct,
          isShort: timeout <= 5_000,
        }));
      expect(manners).toEqual(manners.map(() => ({ direct: true, isShort: true })));
    });

    test.each(metadataFailures)(
      'makes a request for the identity fail with the right reason: %s',
      async (_what, fault, error) => {
        world().failMetadata(fault);
        if (world().hasMetadata) {
          expect(await failure(world().cloud.identity())).toMatchObject(error);
        } else {
          expect(await world().cloud.identity()).toEqual(world().identity);
        }
      },
    );
  });
}
