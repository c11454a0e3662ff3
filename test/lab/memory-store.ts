import { sha256 } from '../../src/agent/engine/digest.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { claimed } from '../../src/agent/stores/claims.ts';
import { checkedName, checkedPrefix } from '../../src/agent/stores/object-name.ts';
import type { ObjectStore, StoredContent, StoredObject } from '../../src/agent/stores/store.ts';
import { conflict, missing, tooLarge } from '../../src/agent/stores/store-errors.ts';
import type { MemoryHost } from './memory-host.ts';

/** An object that a store in memory keeps. */
export interface KeptObject {
  readonly text: string;
  readonly modifiedAt: number;
}

/** The methods of a store that reach the store. */
export type StoreCall = 'put' | 'claim' | 'fetch' | 'read' | 'list' | 'remove';

/** A fault of one call: it fails before or after its effect, or the store is slow by this time in milliseconds. */
export type StoreFault =
  | { readonly fails: NodeError; readonly when: 'before' | 'after' }
  | { readonly takes: number };

/**
 * The objects of one place in memory, which stores on several hosts share. Every method of `storeOn` behaves as the
 * port demands; `fault` makes the next call of a method fail or take long, and `deny` takes a right away.
 */
export class MemoryStore {
  readonly objects = new Map<string, KeptObject>();
  readonly calls: string[] = [];
  readonly #faults = new Map<StoreCall, StoreFault[]>();
  readonly #denied = new Set<StoreCall>();
  /** False if the folder or bucket is missing. */
  exists = true;

  /** Makes the next call of this method without an earlier fault fail or take long. */
  fault(call: StoreCall, fault: StoreFault): this {
    this.#faults.set(call, [...(this.#faults.get(call) ?? []), fault]);
    return this;
  }

  deny(...calls: readonly StoreCall[]): this {
    for (const call of calls) {
      this.#denied.add(call);
    }
    return this;
  }

  /** Changes a stored object, as a damaged disk does. */
  damage(name: string, text: string): this {
    const found = this.objects.get(name);
    if (found === undefined) {
      throw new Error(`The test damages ${name}, which the store does not have.`);
    }
    this.objects.set(name, { ...found, text });
    return this;
  }

  /** Returns the names of the objects, sorted. */
  names(): readonly string[] {
    return [...this.objects.keys()].sort();
  }

  /** Returns the store as a host reaches it. */
  storeOn(host: MemoryHost): ObjectStore {
    const store = 'the store in memory';
    const read = async (name: string, limit: number) => {
      const text = this.objects.get(checkedName(name))?.text;
      if (text !== undefined && Buffer.byteLength(text) > limit) {
        throw tooLarge(store, name, limit);
      }
      return text;
    };
    const create = async (name: string, text: string) => {
      if (this.objects.has(checkedName(name))) {
        return 'exists';
      }
      this.objects.set(name, { text, modifiedAt: host.now() });
      return 'created';
    };
    const call = <Result>(kind: StoreCall, name: string, work: () => Promise<Result>) =>
      this.#called(host, kind, name, work);
    return {
      name: store,
      put: (name, from, content) =>
        call('put', name, async () => {
          const text = host.files.text(from) ?? '';
          requireContent(text, content);
          if ((await create(name, text)) === 'exists' && this.objects.get(name)?.text !== text) {
            throw conflict(store, name);
          }
        }),
      claim: (name, text) => call('claim', name, () => claimed({ name: store, create, read }, name, text)),
      fetch: (name, to, limit) =>
        call('fetch', name, async () => {
          const text = await read(name, limit);
          if (text === undefined) {
            throw missing(store, name);
          }
          await host.writeFile(to, text, { mode: 0o600 });
        }),
      read: (name, limit) => call('read', name, () => read(name, limit)),
      list: (prefix) => call('list', prefix, async () => this.#below(checkedPrefix(prefix))),
      remove: async (name) => {
        if (this.#denied.has('remove')) {
          return 'refused';
        }
        await call('remove', name, async () => this.objects.delete(checkedName(name)));
        return 'removed';
      },
    };
  }

  async #called<Result>(
    host: MemoryHost,
    call: StoreCall,
    name: string,
    work: () => Promise<Result>,
  ): Promise<Result> {
    this.calls.push(`${call} ${name}`);
    if (!this.exists) {
      throw new NodeError('StoreNotFound', 'The store in memory does not exist. Make it.');
    }
    if (this.#denied.has(call)) {
      throw new NodeError('StoreForbidden', `The store in memory does not let this node ${call}.`);
    }
    const [fault, ...later] = this.#faults.get(call) ?? [];
    this.#faults.set(call, later);
    if (fault !== undefined && 'takes' in fault) {
      host.advance(fault.takes);
    } else if (fault?.when === 'before') {
      throw fault.fails;
    }
    const result = await work();
    if (fault !== undefined && 'when' in fault && fault.when === 'after') {
      throw fault.fails;
    }
    return result;
  }

  #below(prefix: string): readonly StoredObject[] {
    return this.names()
      .filter((name) => name.startsWith(prefix))
      .map((name) => {
        const { text, modifiedAt } = this.objects.get(name) ?? { text: '', modifiedAt: 0 };
        return { name, bytes: Buffer.byteLength(text), modifiedAt };
      });
  }
}

function requireContent(text: string, { bytes, sha256: digest }: StoredContent): void {
  if (Buffer.byteLength(text) !== bytes || sha256(text) !== digest) {
    throw new Error('The test stores a file with another size or digest than it states.');
  }
}
