/** The slow half of kubelet's credential provider: fetches a missing login, once for all processes that need it. */
import * as z from 'zod/mini';
import type { Cloud } from '../agent/clouds/cloud.ts';
import { NodeError, toNodeError } from '../agent/engine/errors.ts';
import type { Host } from '../agent/engine/host.ts';
import { readOwn, renderOwn } from '../agent/engine/own-file.ts';
import type { Reason } from '../agent/engine/reasons.ts';
import { tryLock } from '../agent/host/files/lock.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import { complain } from '../agent/host/process/print.ts';
import { ownFiles } from '../agent/own-files.ts';
import { complaint } from '../agent/parts/registry/answer/complaint.ts';
import {
  type Logins,
  loginFor,
  newestLogins,
  type StoredLogin,
  usableLogin,
} from '../agent/parts/registry/answer/logins.ts';
import { notRefused, readLogins, renderLogins, storedLogin } from '../agent/parts/registry/index.ts';
import { type NodePaths, nodePaths } from '../agent/paths.ts';
import { onlyKnown } from '../agent/settings/known-keys.ts';
import { resolveLayers } from '../agent/settings/load.ts';
import { invalidSettings } from '../agent/settings/problems.ts';
import type { Settings } from '../agent/settings/schema.ts';
import { readYaml } from '../agent/settings/yaml.ts';
import { makeCloud } from './compose.ts';

/** The interval at which a waiting process checks whether another process has finished; milliseconds. */
const pollInterval = 50;

interface Place {
  readonly host: Host;
  readonly root: string;
  readonly paths: NodePaths;
  readonly cloud: Cloud;
}

/**
 * Returns the stored logins as soon as they include a usable one for `server`. One of the waiting processes fetches the
 * login; the others find it in the store, or fail with the same error. Throws `InvalidSettings` and the errors of the
 * cloud.
 *
 * Reads only the settings file that the daemon wrote for the provider, so that an operator's broken settings never
 * break a pull.
 */
export async function freshLogins(server: string, root: string): Promise<Logins> {
  const began = monotonicTime();
  const paths = nodePaths(root);
  const settings = await providerSettings(paths.slipway.providerSettings, root);
  if (!settings.registries.servers.includes(server)) {
    throw unknownServer(server);
  }
  const host = nodeHost({ ...settings.network, root });
  const { credentials } = paths.slipway;
  const cloud = makeCloud(settings, host, { hostname: '', current: () => [], credentials });
  const place = { host, root, cloud, paths };
  for (;;) {
    const release = await tryLockIfPossible(lockPath(paths, server), root);
    try {
      const shared = await sharedLogins(place, server, began);
      if (shared) {
        return shared;
      }
      if (release) {
        return await fetchLogin(place, server);
      }
    } finally {
      await release?.();
    }
    await host.sleep(pollInterval);
  }
}

async function providerSettings(path: string, root: string): Promise<Settings> {
  const found = await nodeHost({ root }).readFile(path);
  if (!found) {
    throw new NodeError(
      'InvalidSettings',
      `${path} does not exist, so there are no settings to fetch a credential with. The daemon writes it; start it: systemctl start slipway.`,
    );
  }
  const { value, faults } = readYaml(found.content);
  if (faults.length > 0) {
    throw invalidSettings(faults.map((fault) => `${path}: ${fault}`));
  }
  return resolveLayers({ files: [{ origin: path, values: onlyKnown(value) }], tags: [], commandLine: [] })
    .settings;
}

function unknownServer(server: string): NodeError {
  // A word that is not a host name may be a secret, so the message does not repeat it.
  const named = /^[\w.:[\]-]{1,260}$/.test(server) ? server : 'the registry of this image';
  return new NodeError(
    'InvalidSettings',
    `${named} is not one of the login servers that Slipway has credentials for. Name it in registries.servers, or take it out of matchImages.`,
  );
}

/**
 * Takes the lock and returns its release; `undefined` if another process has the lock. If the lock cannot be used, as
 * on a full /run, returns a release that does nothing, because a pull matters more than a saved request.
 */
async function tryLockIfPossible(path: string, root: string): Promise<(() => Promise<void>) | undefined> {
  const release = await tryLock(path, root).catch(() => async () => {});
  // The system frees an unreleased lock when this process ends.
  return release && (() => release().catch(() => {}));
}

/** Returns the path of a server's own lock, so that a server that hangs does not delay pulls from another. */
function lockPath({ slipway }: NodePaths, server: string): string {
  return `${slipway.providerLock}.${server}`;
}

/** Returns the stored logins if `server` has a usable one. Throws the error of a fetch that failed since `began`. */
async function sharedLogins(
  { host, paths }: Place,
  server: string,
  began: number,
): Promise<Logins | undefined> {
  const logins = await readLogins(host, paths);
  if (usableLogin(logins, server, host.now())) {
    return logins;
  }
  const note = await host.readFile(failurePath(paths, server)).catch(() => undefined);
  const failure = parseFailure(note?.content);
  if (failure && failure.at >= began) {
    throw new NodeError(failure.reason, failure.message);
  }
  return undefined;
}

async function fetchLogin(place: Place, server: string): Promise<Logins> {
  return keep(place, { [server]: await receivedLogin(place, server) });
}

/** Adds logins to the store, keeps those that other processes added meanwhile, and returns all of them. */
async function keep(place: Place, fresh: Logins): Promise<Logins> {
  const { host, root, paths } = place;
  const release = await tryLockIfPossible(paths.slipway.providerLock, root);
  if (!release) {
    await host.sleep(pollInterval);
    return keep(place, fresh);
  }
  try {
    return await write(place, newestLogins(await readLogins(host, paths), fresh, host.now()));
  } finally {
    await release();
  }
}

async function write({ host, paths }: Place, logins: Logins): Promise<Logins> {
  // Kubelet gets the login even if the disk is full.
  await host
    .writeFile(paths.slipway.logins, renderLogins(logins), { mode: 0o600 })
    .catch((thrown: unknown) => complain(complaint(thrown)));
  return logins;
}

async function receivedLogin({ host, cloud, paths }: Place, server: string): Promise<StoredLogin> {
  try {
    const password = await cloud.registryPassword(server);
    const login = storedLogin(cloud.registryUser(server), password, host.now());
    return notRefused(server, login, loginFor(await readLogins(host, paths), server));
  } catch (thrown) {
    const { reason, message } = toNodeError(thrown);
    const failure = { at: monotonicTime(), reason, message } satisfies Failure;
    await host
      .writeFile(failurePath(paths, server), renderOwn(ownFiles.providerFailure, failure), { mode: 0o600 })
      .catch(() => {});
    throw thrown;
  }
}

/** The record of a failed fetch; `at` is monotonic, so that setting the clock cannot make an old failure look new. */
interface Failure {
  readonly at: number;
  readonly reason: Reason;
  readonly message: string;
}

function failurePath(paths: NodePaths, server: string): string {
  return `${lockPath(paths, server)}.failure`;
}

function parseFailure(text: string | undefined): Failure | undefined {
  return readOwn(failureNote, text ?? '');
}

const failureNote = z.object({ at: z.number(), reason: z.custom<Reason>(isText), message: z.string() });

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

/** Returns the time of the clock that all processes of a boot share (CLOCK_MONOTONIC), in milliseconds. */
function monotonicTime(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
