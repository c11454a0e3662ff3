import { sha256 } from '../engine/digest.ts';
import type { Host, HttpResponse } from '../engine/host.ts';
import { TooManyBytes } from '../engine/large-files.ts';
import { claimed } from './claims.ts';
import { allPages } from './list-pages.ts';
import { checkedName, checkedPrefix } from './object-name.ts';
import type { Protocol, StoreRequest, Verdict } from './protocol.ts';
import type { ObjectStore, StoredContent } from './store.ts';
import {
  conflict,
  ignoresConditions,
  missing,
  tooLarge,
  tooLargeToStore,
  uncertain,
} from './store-errors.ts';
import { storeUnreachable } from './store-unreachable.ts';

/** The SHA-256 of an empty body. */
const nothing = sha256('');

/**
 * The longest time for a transfer, in milliseconds. It does not depend on the size, because a slow link is fine: a
 * transfer without progress for a minute ends anyway.
 */
const longestTransfer = 6 * 3_600_000;

/** The object with which the first claim in a store tests whether the store refuses to replace objects. */
const probe = 'slipway-create-only-probe';

/** Makes a store that is reached over HTTP. */
export function restStore(host: Host, protocol: Protocol): ObjectStore {
  const { name: store } = protocol;
  const keyOf = (name: string) => `${protocol.within}${checkedName(name)}`;

  async function send(
    method: StoreRequest['method'],
    url: string,
    body?: { readonly text: string; readonly headers: StoreRequest['headers'] },
  ): Promise<HttpResponse> {
    const digest = body === undefined ? nothing : sha256(body.text);
    const headers = await protocol.authorize({ method, url, headers: body?.headers ?? {}, sha256: digest });
    const request = { method, url, headers, timeout: 30_000, ...(body && { body: body.text }) };
    return host.send(request).catch((thrown: unknown) => storeUnreachable(thrown, store));
  }

  function refusal(response: HttpResponse, verdict: Verdict): Error {
    protocol.forget();
    return protocol.refused(response, verdict);
  }

  async function create(name: string, text: string): Promise<'created' | 'exists'> {
    const headers = protocol.creating(sha256(text));
    const response = await send('PUT', await protocol.urlOf(keyOf(name)), { text, headers });
    const verdict = protocol.verdict(response);
    if (verdict === 'done' || verdict === 'exists') {
      return verdict === 'done' ? 'created' : 'exists';
    }
    throw refusal(response, verdict);
  }

  /** True if the object has this content, false for another content; `undefined` if the store does not show it. */
  async function holds(name: string, content: StoredContent): Promise<boolean | undefined> {
    const response = await send('HEAD', await protocol.urlOf(keyOf(name)));
    if (protocol.verdict(response) !== 'done') {
      return undefined;
    }
    const isSize = response.headers['content-length'] === String(content.bytes);
    return isSize && protocol.digestOf(response) === content.sha256;
  }

  async function put(
    name: string,
    file: string,
    content: StoredContent,
    signal?: AbortSignal,
  ): Promise<void> {
    const url = await protocol.urlOf(keyOf(name));
    if (content.bytes > protocol.largest) {
      throw tooLargeToStore(store, content.bytes, protocol.largest);
    }
    const known = protocol.mayIgnoreConditions ? await holds(name, content) : undefined;
    if (known !== undefined) {
      return requireSame(known, name);
    }
    const headers = await protocol.authorize({
      method: 'PUT',
      url,
      headers: protocol.creating(content.sha256),
      sha256: content.sha256,
    });
    const upload = { url, headers, file, bytes: content.bytes, timeout: longestTransfer };
    const response = await host
      .upload(upload, signal)
      .catch((thrown: unknown) => storeUnreachable(thrown, store));
    const verdict = protocol.verdict(response);
    if (verdict === 'exists') {
      return requireSame(await holds(name, content), name);
    }
    if (verdict !== 'done') {
      throw refusal(response, verdict);
    }
  }

  function requireSame(isSame: boolean | undefined, name: string): void {
    if (!isSame) {
      throw isSame === false ? conflict(store, name) : uncertain(store, name);
    }
  }

  async function read(name: string, limit: number): Promise<string | undefined> {
    const response = await send('GET', await protocol.urlOf(keyOf(name)));
    const verdict = protocol.verdict(response);
    if (verdict === 'missing') {
      return undefined;
    }
    if (verdict !== 'done') {
      throw refusal(response, verdict);
    }
    if (Buffer.byteLength(response.body) > limit) {
      throw tooLarge(store, name, limit);
    }
    return response.body;
  }

  async function fetchObject(name: string, file: string, limit: number, signal?: AbortSignal): Promise<void> {
    const url = await protocol.urlOf(keyOf(name));
    const headers = await protocol.authorize({ method: 'GET', url, headers: {}, sha256: nothing });
    const request = { url, headers, file, limit, timeout: longestTransfer };
    const response = await host
      .fetchFile(request, signal)
      .catch((thrown: unknown) => {
        throw thrown instanceof TooManyBytes ? tooLarge(store, name, limit) : thrown;
      })
      .catch((thrown: unknown) => storeUnreachable(thrown, store));
    const verdict = protocol.verdict(response);
    if (verdict !== 'done') {
      throw verdict === 'missing' ? missing(store, name) : refusal(response, verdict);
    }
  }

  function list(prefix: string) {
    return allPages(protocol, checkedPrefix(prefix), async (url) => {
      const response = await send('GET', url);
      const verdict = protocol.verdict(response);
      if (verdict !== 'done') {
        throw refusal(response, verdict);
      }
      return response.body;
    });
  }

  async function remove(name: string): Promise<'removed' | 'refused'> {
    const response = await send('DELETE', await protocol.urlOf(keyOf(name)));
    const verdict = protocol.verdict(response);
    if (verdict === 'done' || verdict === 'missing') {
      return 'removed';
    }
    if (verdict === 'hidden') {
      // Throws if the place is missing, or hidden as a whole.
      await list(name);
    } else if (verdict !== 'forbidden') {
      throw refusal(response, verdict);
    }
    return 'refused';
  }

  /** Throws `StoreUnsuitable` if the store replaces an object although the request forbids that. */
  async function requireConditions(): Promise<void> {
    for (const attempt of ['first', 'second']) {
      if ((await create(probe, 'Slipway tests with this object that nothing is replaced.\n')) === 'exists') {
        return;
      }
      if (attempt === 'second') {
        throw ignoresConditions(store);
      }
    }
  }

  async function claim(name: string, text: string): Promise<'claimed' | 'exists'> {
    checkedName(name);
    if (protocol.mayIgnoreConditions) {
      await requireConditions();
    }
    return claimed({ name: store, create, read }, name, text);
  }

  return { name: store, put, claim, fetch: fetchObject, read, list, remove };
}
