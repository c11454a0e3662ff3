import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cloud, Identity } from '../../src/agent/clouds/cloud.ts';
import type { CloudGround } from '../../src/agent/clouds/driver.ts';
import { readJwt } from '../../src/agent/clouds/jwt.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { redacted } from '../../src/agent/engine/secret.ts';

/** A cloud, what the tests expect of it, and functions that change its surroundings. */
export interface CloudWorld {
  readonly cloud: Cloud;
  /**
   * The expected identity of this VM. The world contains tag names with upper-case letters if the cloud allows them.
   */
  readonly identity: Identity;
  /** A registry whose password the VM may get, followed by a registry that does not accept the VM. */
  readonly registry: string;
  readonly foreignRegistry: string;
  /** An image in `registry`; `digest` is `undefined` if the cloud cannot see images. */
  readonly image: { readonly repository: string; readonly tag: string; readonly digest: string | undefined };
  /** True if the cloud keeps the earlier values of a secret. */
  readonly keepsVersions: boolean;
  setSecret(name: string, value: string | undefined): Promise<void> | void;
  /** The announcements of the cloud; absent if it announces no interruptions. */
  readonly announcer?: Announcer;
  stop?(): Promise<void>;
}

/** Announces interruptions as the cloud does. */
export interface Announcer {
  /** Announces a reboot, and returns the id of the event. */
  announce(about: 'this VM' | 'another VM' | 'both VMs'): string;
  /** Cancels an event. */
  cancel(id: string): void;
}

/** A world from which a cloud's driver makes the cloud; `ground` is the driver's input. */
export interface DrivenWorld<Settings> extends Omit<CloudWorld, 'cloud'> {
  readonly ground: CloudGround<Settings>;
}

const canary = 'canary-4f1d9c';

/** Checks the contract of a Cloud, made by a driver or by a test; `further` adds tests of the same world. */
export function cloudContract<World extends CloudWorld>(
  name: string,
  start: () => Promise<World> | World,
  further: (world: () => World) => void = () => {},
): void {
  describe(`the Cloud contract: ${name}`, () => {
    let world: World;
    beforeAll(async () => {
      world = await start();
    });
    afterAll(async () => world.stop?.());

    test('describes the VM, with its tags under lower-case names', async () => {
      expect(await world.cloud.identity()).toEqual(world.identity);
      for (const tag of Object.keys(world.identity.tags)) {
        expect(tag).toBe(tag.toLowerCase());
      }
    });

    test('returns the current value of a secret, in an object that does not print the value', async () => {
      await world.setSecret('k3s-token', `${canary}-1`);
      const first = await world.cloud.secret('k3s-token');
      await world.setSecret('k3s-token', `${canary}-2`);
      const second = await world.cloud.secret('k3s-token');
      expect([first.reveal(), second.reveal()]).toEqual([`${canary}-1`, `${canary}-2`]);
      expect(`${first}`).toBe(redacted);
    });

    test('omits the trailing newline of a secret', async () => {
      await world.setSecret('k3s-token', `${canary}\r\n`);
      expect((await world.cloud.secret('k3s-token')).reveal()).toBe(canary);
    });

    test.each([
      ['an empty value', ''],
      ['only white space', ' \n'],
      ['several lines', `${canary}\n${canary}\n`],
    ])('reports %s in a secret as SecretEmpty, and does not quote the secret', async (_what, value) => {
      await world.setSecret('k3s-token', value);
      const error = await failure(world.cloud.secret('k3s-token'));
      expect(error).toMatchObject({ reason: 'SecretEmpty', endedBy: 'person' });
      expect(error.message).not.toContain(canary);
      expect(error.message).toContain('k3s-token');
    });

    test('reports a missing secret as SecretNotFound or SecretNotVisible, and names the secret', async () => {
      await world.setSecret('absent', undefined);
      const error = await failure(world.cloud.secret('absent'));
      // A cloud may conceal whether a secret is missing or not permitted.
      expect(['SecretNotFound', 'SecretNotVisible']).toContain(error.reason);
      expect(error.message).toContain('absent');
    });

    test('changes the version of a secret only with its value', async () => {
      await world.setSecret('k3s-token', `${canary}-1`);
      await world.cloud.secret('k3s-token');
      const first = await world.cloud.secretVersion('k3s-token');
      expect(await world.cloud.secretVersion('k3s-token')).toBe(first);
      await world.setSecret('k3s-token', `${canary}-2`);
      const second = await world.cloud.secretVersion('k3s-token');
      expect([first, second]).toEqual([expect.any(String), expect.any(String)]);
      expect(second).not.toBe(first);
      expect(`${first} ${second}`).not.toContain(canary);
    });

    test('returns no version for a missing secret', async () => {
      await world.setSecret('absent', undefined);
      expect(await world.cloud.secretVersion('absent')).toBeUndefined();
    });

    test('returns the former value of a secret only if the cloud keeps earlier values', async () => {
      await world.setSecret('k3s-token', `${canary}-1`);
      await world.setSecret('k3s-token', `${canary}-2`);
      const former = await world.cloud.formerSecret('k3s-token');
      expect(former?.reveal()).toBe(world.keepsVersions ? `${canary}-1` : undefined);
      expect(`${former}`).not.toContain(canary);
    });

    test('returns no former value of a missing secret', async () => {
      await world.setSecret('absent', undefined);
      expect(await world.cloud.formerSecret('absent')).toBeUndefined();
    });

    test('returns the user and password of a registry, with an expiry if the password is a token', async () => {
      expect(world.cloud.registryUser(world.registry)).not.toBe('');
      const { password, until } = await world.cloud.registryPassword(world.registry);
      expect(password.reveal()).not.toBe('');
      expect(`${password}`).toBe(redacted);
      const token = readJwt(password.reveal());
      expect(until !== undefined).toBe(token !== undefined);
    });

    test('returns no password for a registry that does not accept this VM, and names the registry in the error', async () => {
      const error = await failure(world.cloud.registryPassword(world.foreignRegistry));
      expect(error.reason).toMatch(/^Registry/);
      expect(error.message).toContain(world.foreignRegistry);
    });

    test('returns the digest of an image, and reports a missing or denied image, if the cloud can look up digests', async () => {
      const { cloud, registry, foreignRegistry, image } = world;
      const { repository, tag, digest } = image;
      expect(await cloud.imageDigest(registry, repository, tag)).toBe(digest);
      if (digest === undefined) {
        return;
      }
      const missing = await failure(cloud.imageDigest(registry, repository, 'missing'));
      expect(missing).toMatchObject({ reason: 'ProofImageNotFound', endedBy: 'person' });
      expect(missing.message).toContain(`${repository}:missing`);
      const denied = await failure(cloud.imageDigest(foreignRegistry, repository, tag));
      expect(denied.reason).toBe('PullDenied');
      expect(denied.message).toContain(foreignRegistry);
    });

    eventTests(() => world);
    further(() => world);
  });
}

/** Checks how a cloud announces interruptions, or that it announces none. */
function eventTests(world: () => CloudWorld): void {
  test('lists the announced interruptions of this VM, and lets them begin on request', async () => {
    const { cloud, announcer } = world();
    const { events } = cloud;
    expect(events !== undefined).toBe(announcer !== undefined);
    if (events === undefined || announcer === undefined) {
      return;
    }
    expect((await events.list()).events).toEqual([]);
    const ids = [announcer.announce('this VM'), announcer.announce('both VMs')];
    announcer.announce('another VM');
    const { events: listed, nextAfter } = await events.list();
    expect(nextAfter).toBeGreaterThan(0);
    expect(listed.map(({ id }) => id)).toEqual(ids);
    expect(listed.map(({ namesOthers }) => namesOthers)).toEqual([false, true]);
    expect(listed[0]).toMatchObject({ kind: 'reboot', isStarted: false, isByUser: false });
    expect(listed[0]?.notBefore).toBeGreaterThan(0);
    await events.acknowledge(ids[0] ?? '');
    expect((await events.list()).events[0]).toMatchObject({ isStarted: true, notBefore: undefined });
    announcer.cancel(ids[1] ?? '');
    expect((await events.list()).events.map(({ id }) => id)).toEqual([ids[0]]);
    const error = await failure(events.acknowledge(ids[1] ?? ''));
    expect(error).toMatchObject({ reason: 'UnexpectedAnswer', blocks: false });
    expect(error.message).toContain(ids[1]);
  });
}

/**
 * Resolves to the NodeError with which a call fails; rejects with an Error if the call succeeds or fails with another
 * error.
 */
export async function failure(call: Promise<unknown>): Promise<NodeError> {
  const outcome = await call.then(
    () => 'it succeeded',
    (thrown: unknown) => thrown,
  );
  if (outcome instanceof NodeError) {
    return outcome;
  }
  throw new Error(`A NodeError was expected, not: ${String(outcome)}`, { cause: outcome });
}
