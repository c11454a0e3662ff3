import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type { Host } from '../../src/agent/engine/host.ts';
import type { ObjectStore } from '../../src/agent/stores/store.ts';

/** A store to check, the host that it runs on, and the means to prepare a check. */
export interface StoreStage {
  readonly store: ObjectStore;
  /** The same place, as another node reaches it. */
  readonly other: ObjectStore;
  readonly host: Host;
  /** A folder of the host for local files. */
  readonly folder: string;
  /** Takes the folder, container or bucket away. */
  lose(): Promise<void>;
  /** Takes away the right to remove objects; absent if this machine cannot do that. */
  protect?(): Promise<void>;
  dispose(): Promise<void>;
}

const large = 'größe\n'.repeat(100_000);
const object = '0123456789ab/20261130T120000Z-vm-1/datastore.zst';

/** Checks the whole contract of an `ObjectStore`. */
export function describeStore(name: string, make: () => Promise<StoreStage>): void {
  describe(name, () => {
    let stage: StoreStage;
    beforeEach(async () => {
      stage = await make();
    });
    afterEach(() => stage.dispose());

    async function put(name: string, text: string, store = stage.store): Promise<void> {
      const from = `${stage.folder}/from`;
      await stage.host.writeFile(from, text, { mode: 0o600 });
      await store.put(name, from, { bytes: Buffer.byteLength(text), sha256: sha256(text) });
    }

    test('stores a file, and fetches it into a private file', async () => {
      const { store, host, folder } = stage;
      await put(object, large);
      await host.writeFile(`${folder}/to`, 'before', { mode: 0o644 });
      await store.fetch(object, `${folder}/to`, large.length * 2);
      expect(await host.readFile(`${folder}/to`)).toMatchObject({ content: large, mode: 0o600 });
    });

    test('accepts the same file again, and refuses another one under the same name', async () => {
      await put(object, 'first');
      await put(object, 'first', stage.other);
      expect(await reasonOf(put(object, 'other'))).toBe('StoreConflict');
      expect(await reasonOf(put(object, 'firsT'))).toBe('StoreConflict');
      expect(await stage.other.read(object, 100)).toBe('first');
    });

    test('stores an empty file', async () => {
      await put(object, '');
      expect(await stage.store.read(object, 0)).toBe('');
    });

    test('lets only the first claim a name, and lets the first repeat its claim', async () => {
      const { store, other } = stage;
      expect(await store.claim('cluster/abc', 'vm-1 größe')).toBe('claimed');
      expect(await other.claim('cluster/abc', 'vm-2')).toBe('exists');
      expect(await store.claim('cluster/abc', 'vm-1 größe')).toBe('claimed');
      expect(await other.read('cluster/abc', 100)).toBe('vm-1 größe');
    });

    test('lets exactly one of many simultaneous callers claim a name', async () => {
      const { store, other } = stage;
      const callers = Array.from({ length: 12 }, (_, at) => ({ at, by: at % 2 === 0 ? store : other }));
      const outcomes = await Promise.all(
        callers.map(({ at, by }) =>
          by.claim('cluster/abc', `vm-${at}`).catch((thrown: unknown) => reasonIn(thrown)),
        ),
      );
      const winner = await store.read('cluster/abc', 100);
      expect(outcomes.flatMap((outcome, at) => (outcome === 'claimed' ? [`vm-${at}`] : []))).toEqual([
        winner,
      ]);
    });

    test('does not take a stored file for its own claim', async () => {
      await put('cluster/abc', 'x'.repeat(100_000));
      expect(await reasonOf(stage.store.claim('cluster/abc', 'vm-1'))).toBe('StoreLimit');
    });

    test('reads a missing object as undefined, and does not fetch it', async () => {
      const { store, host, folder } = stage;
      expect(await store.read('none/here', 100)).toBeUndefined();
      await host.writeFile(`${folder}/to`, 'before', { mode: 0o644 });
      expect(await reasonOf(store.fetch('none/here', `${folder}/to`, 100))).toBe('ObjectNotFound');
      expect((await host.readFile(`${folder}/to`))?.content).toBe('before');
    });

    test('reads and fetches no object above the limit', async () => {
      const { store, host, folder } = stage;
      await put(object, 'x'.repeat(1_001));
      expect(await reasonOf(store.read(object, 1_000))).toBe('StoreLimit');
      expect(await reasonOf(store.fetch(object, `${folder}/to`, 1_000))).toBe('StoreLimit');
      expect(await host.stat(`${folder}/to`)).toBeUndefined();
      expect(await store.read(object, 1_001)).toHaveLength(1_001);
      await store.fetch(object, `${folder}/to`, 1_001);
      expect(await host.stat(`${folder}/to`)).toMatchObject({ size: 1_001 });
    });

    test('lists objects by the start of their names, with sizes and times', async () => {
      const { store, host } = stage;
      for (const name of ['b/2/data', 'b/1/manifest.json', 'b/1/data', 'a/1/data', 'b1']) {
        await put(name, `größe ${name}`);
      }
      const found = await store.list('b/');
      expect(found.map(({ name, bytes }) => `${name} ${bytes}`)).toEqual([
        'b/1/data 16',
        'b/1/manifest.json 25',
        'b/2/data 16',
      ]);
      for (const { modifiedAt } of found) {
        expect(Math.abs(modifiedAt - host.now())).toBeLessThan(60_000);
      }
      expect((await store.list('b/1')).map(({ name }) => name)).toEqual(['b/1/data', 'b/1/manifest.json']);
      expect(await store.list('')).toHaveLength(5);
      expect(await store.list('c/')).toEqual([]);
    });

    test('lists all objects of a place with several pages', async () => {
      const names = Array.from({ length: 12 }, (_, at) => `many/${`${at}`.padStart(3, '0')}`);
      for (const name of names) {
        await put(name, name);
      }
      expect((await stage.store.list('many/')).map(({ name }) => name)).toEqual(names);
    });

    test('removes an object, and does nothing if the object is missing', async () => {
      const { store } = stage;
      await put('b/1/data', 'one');
      await put('b/2/data', 'two');
      expect(await store.remove('b/1/data')).toBe('removed');
      expect(await store.remove('b/1/data')).toBe('removed');
      expect(await store.remove('b/2')).toBe('removed');
      expect((await store.list('')).map(({ name }) => name)).toEqual(['b/2/data']);
      await put('b/1/data', 'again');
    });

    test('reports that the right to remove objects is missing', async ({ skip }) => {
      const { store, protect } = stage;
      if (protect === undefined) {
        return skip('this stage cannot take the right away');
      }
      await put(object, 'one');
      await protect();
      expect(await store.remove(object)).toBe('refused');
      expect(await store.read(object, 100)).toBe('one');
    });

    test('reports a place that does not exist, whatever it is asked', async () => {
      const { store, lose, host, folder } = stage;
      await lose();
      for (const attempt of [
        () => put(object, 'one'),
        () => store.claim(object, 'one'),
        () => store.fetch(object, `${folder}/to`, 10),
        () => store.read(object, 10),
        () => store.list(''),
        () => store.remove(object),
      ]) {
        expect(await reasonOf(attempt())).toBe('StoreNotFound');
      }
      expect(await host.stat(`${folder}/to`)).toBeUndefined();
    });

    test('accepts no name that a URL or a folder could take for something else', async () => {
      const names = ['', '/a', 'a/', 'a//b', '../a', 'a/../b', '.a', 'a b', 'a?b', 'a%2fb', 'a'.repeat(201)];
      for (const name of names) {
        expect([name, await reasonOf(put(name, 'x'))]).toEqual([name, 'InternalError']);
        expect([name, await reasonOf(stage.store.remove(name))]).toEqual([name, 'InternalError']);
      }
      expect(await stage.store.list('')).toEqual([]);
    });
  });
}

/** Returns the reason of the NodeError that a promise rejects with. */
export async function reasonOf(attempt: Promise<unknown>): Promise<string> {
  const thrown = await attempt.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  );
  return reasonIn(thrown);
}

function reasonIn(thrown: unknown): string {
  return thrown instanceof NodeError ? thrown.reason : `not a NodeError: ${thrown}`;
}
