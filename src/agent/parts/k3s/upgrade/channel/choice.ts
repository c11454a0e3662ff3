import { compareVersions, type K3sVersion, parseVersion } from '../version.ts';
import type { Channels } from './list.ts';

/** What a cluster takes from its channel. */
export interface Choice {
  /** The release that the cluster wants. */
  readonly release: string;
  /** The newest release of the channel. */
  readonly latest: string;
}

/**
 * Chooses the release that a cluster takes from a channel; `undefined` if the channel does not exist. `runs` is the
 * release that runs; without it, the cluster takes the newest one of the channel.
 *
 * A cluster never goes to an older release. It goes to the next minor version only if the channel is named after that
 * version, such as `v1.37`. If another channel is ahead, the cluster takes the newest patch of its own minor version;
 * if the channel is behind, the cluster keeps its release.
 */
export function choose(channels: Channels, channel: string, runs: string | undefined): Choice | undefined {
  const latest = channels.get(channel);
  const [newest, now] = [parseVersion(latest ?? ''), parseVersion(runs ?? '')];
  if (latest === undefined || newest === undefined) {
    return undefined;
  }
  if (runs === undefined || now === undefined) {
    return { release: latest, latest };
  }
  if (isSameLine(newest, now) || isNextByName(channel, newest, now)) {
    return { release: newerOf(runs, latest), latest };
  }
  const isAhead = compareVersions(now, newest) < 0;
  const patch = channels.get(lineOf(now)) ?? runs;
  return { release: isAhead ? newerOf(runs, patch) : runs, latest };
}

/**
 * Returns the channel of the next minor version if the latest release is of a newer minor version than the chosen one;
 * otherwise `undefined`.
 */
export function nextLine({ release, latest }: Choice): string | undefined {
  const [taken, newest] = [parseVersion(release), parseVersion(latest)];
  const isAhead = taken && newest && compareVersions(taken, newest) < 0 && !isSameLine(taken, newest);
  return isAhead ? lineOf({ ...taken, minor: taken.minor + 1 }) : undefined;
}

/** Returns the name of the channel of a minor version, such as `v1.36`. */
export function lineOf({ major, minor }: Pick<K3sVersion, 'major' | 'minor'>): string {
  return `v${major}.${minor}`;
}

function isSameLine(a: K3sVersion, b: K3sVersion): boolean {
  return lineOf(a) === lineOf(b);
}

function isNextByName(channel: string, newest: K3sVersion, now: K3sVersion): boolean {
  return channel === lineOf(newest) && channel === lineOf({ ...now, minor: now.minor + 1 });
}

function newerOf(a: string, b: string): string {
  const [one, other] = [parseVersion(a), parseVersion(b)];
  return one && other && compareVersions(one, other) < 0 ? b : a;
}
