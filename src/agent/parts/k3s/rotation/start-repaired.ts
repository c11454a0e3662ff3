import { dirname, join } from 'node:path';
import type { Cloud } from '../../../clouds/cloud.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import { Secret } from '../../../engine/secret.ts';
import { isOnlyServer, type K3sNode, unitName } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { showUnit } from '../../../resources/unit.ts';
import {
  isOpen,
  type OpenRotation,
  readRotation,
  rotationTokens,
  writeRotation,
} from '../membership/rotation-record.ts';
import { parseToken } from '../membership/token.ts';
import { startJournal, unitProperties } from '../service/starting.ts';
import { takeFromVault } from './lost-token.ts';
import { rotationFailed } from './store-token.ts';

/** Matches the fatal line of a K3s whose datastore has other passwords (pkg/cluster/bootstrap.go). */
const passwordsNewer = /msg="[^",]*\/server\/cred\/passwd newer than datastore/;
/** Matches the fatal line of a K3s whose datastore belongs to another token (pkg/cluster/storage.go). */
const otherToken = /bootstrap data already found and encrypted with different token/;

/**
 * Repairs a server that cannot start because K3s was killed while it stored a new token, or was given another agent
 * token. K3s then names one of two causes:
 *
 * - its password file is newer than the datastore. K3s says to remove it, and makes it anew at the next start;
 * - the datastore belongs to another token. The token file gets the other token of the rotation, and the rotation goes
 *   on from there. Throws `TokenRotationFailed` if K3s starts with neither. One of several servers sends no further
 *   request, because another server may have stored the token, and tries both tokens in turn until K3s starts.
 * - with several servers, the datastore belongs to another token, and this server knows of no rotation: it was off
 *   while another server rotated. It takes the token of the vault.
 */
export function startRepaired(node: K3sNode, cloud: Cloud, needs: readonly string[]): Resource {
  return {
    id: 'Token/start',
    summary: 'let K3s start after an interrupted change of a token',
    condition: 'JoinToken',
    isQuiet: true,
    needs,
    async check(host) {
      const unit = unitName(node.role.k3s);
      const shown = await showUnit(host, unit, unitProperties);
      const hasFailed = shown.ActiveState === 'failed' || shown.SubState === 'auto-restart';
      const log = hasFailed ? await startJournal(host, unit, shown.InvocationID) : '';
      return (await repair(host, node, cloud, { log, start: shown.InvocationID })) ?? inSync();
    },
  };
}

interface FailedStart {
  readonly log: string;
  readonly start: string;
}

async function repair(
  host: HostReader,
  node: K3sNode,
  cloud: Cloud,
  { log, start }: FailedStart,
): Promise<Finding | undefined> {
  if (passwordsNewer.test(log)) {
    return withoutPasswords(host, node);
  }
  if (!otherToken.test(log)) {
    return undefined;
  }
  const record = await readRotation(host, node.paths);
  if (!isOpen(record)) {
    return isOnlyServer(node) ? undefined : takeFromVault(host, node, cloud, start);
  }
  return record.invocation === start ? undefined : withOtherToken(host, node, record, start);
}

/**
 * Returns the removal of K3s's password file if a change by Slipway may have made the file newer than the datastore.
 */
async function withoutPasswords(
  host: HostReader,
  { paths, settings }: K3sNode,
): Promise<Finding | undefined> {
  const hasOwnTokens = settings.joinToken.agentSecretName !== undefined;
  const path = join(dirname(paths.k3s.serverToken), 'cred/passwd');
  if (!(hasOwnTokens || (await readRotation(host, paths))) || !(await host.stat(path))) {
    return undefined;
  }
  const change = { field: path, observed: 'newer than the datastore', desired: undefined };
  const summary = `remove ${path}, which K3s makes anew`;
  const remedy = (changing: Host) => changing.remove(path);
  return { state: 'Drifted', drift: { changes: [change], summary, partial: true, blocks: false, remedy } };
}

async function withOtherToken(
  host: HostReader,
  node: K3sNode,
  record: OpenRotation,
  start: string,
): Promise<Finding> {
  const { from, to } = rotationTokens(record);
  const present = parseToken(await fileText(host, node.paths.slipway.joinToken));
  const isNew = present?.credential === to?.credential;
  const [now, next] = isNew ? [record.to, record.from] : [record.from, record.to];
  const isRefused = record.refused?.includes(next) ?? false;
  if ((isRefused && isOnlyServer(node)) || from === undefined || to === undefined) {
    throw rotationFailed(
      'K3s starts with neither token of the rotation: its datastore belongs to a third one.',
    );
  }
  // K3s on a member of etcd first reads its own database, which may be older than the rotation. It then starts with the
  // new token only after a start with the old one has fetched the changes, or once another server accepts the new one.
  const refused = isRefused ? [now] : [...(record.refused ?? []), now];
  const content = new Secret(`${(isNew ? record.tokens.from : record.tokens.to).trim()}\n`);
  const changes = [{ field: 'token', observed: now, desired: next }];
  const state = isOnlyServer(node) ? 'begun' : record.state;
  const remedy = async (changing: Host) => {
    await writeRotation(changing, node.paths, { ...record, state, refused, invocation: start });
    await changing.writeFile(node.paths.slipway.joinToken, content, { mode: 0o600 });
  };
  const summary = `let K3s start with the token ${next}, to which its datastore belongs`;
  return { state: 'Drifted', drift: { changes, summary, partial: true, blocks: false, remedy } };
}
