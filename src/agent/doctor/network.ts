import type { CloudHints } from '../clouds/driver.ts';
import type { HostReader } from '../engine/host.ts';
import { failure, ok, type Probe, skipped, type Verdict, warning } from './probe.ts';

export interface NetworkProbes {
  readonly host: HostReader;
  /** The addresses on the internet that this node needs. */
  readonly asked: readonly URL[];
  /** The proxy for these requests, from the settings. */
  readonly proxy: string | undefined;
  /** The cloud's term for its name servers. */
  readonly hints: Pick<CloudHints, 'nameServers'>;
}

/**
 * The smallest clock differences, in milliseconds, that count as a failure and as a warning. Services commonly allow
 * five minutes; a difference of one minute shows that nothing synchronises the clock.
 */
const muchSkew = 300_000;
const someSkew = 60_000;

/** Returns the probes of the proxy setting, of name resolution, and of the clock. */
export function networkProbes(subject: NetworkProbes): readonly Probe[] {
  const { host, asked, proxy } = subject;
  const about = 'network' as const;
  const [first] = asked;
  const names = [...new Set(asked.map(({ hostname }) => hostname))];
  return [
    { about, what: 'proxy', look: async () => ok(proxy === undefined ? 'none' : withoutLogin(proxy)) },
    ...names.map((name) => ({ about, what: `DNS ${name}`, look: () => resolveName(subject, name) })),
    ...(first === undefined ? [] : [{ about, what: 'clock', look: () => compareClocks(host, first) }]),
  ];
}

function withoutLogin(proxy: string): string {
  const url = new URL(proxy);
  return `${url.protocol}//${url.host}`;
}

async function resolveName({ host, proxy, hints }: NetworkProbes, name: string): Promise<Verdict> {
  if (proxy !== undefined) {
    return skipped('a proxy resolves it, unless network.noProxy names it');
  }
  const { exitCode, stdout } = await host.query({ file: 'getent', args: ['ahosts', name] });
  if (exitCode === 127) {
    return skipped('getent is not installed');
  }
  const addresses = [...new Set(stdout.split('\n').map((line) => line.split(/\s/)[0] ?? ''))].filter(Boolean);
  if (exitCode === 0 && addresses.length > 0) {
    return ok(addresses.join(', '));
  }
  return failure(
    `${name} has no address here.`,
    `resolvectl status; ${hints.nameServers} must know the name`,
  );
}

/**
 * Compares this clock with the Date header of a server (RFC 9110, section 6.6.1). The result can be wrong by the
 * duration of the request and by one second, because the header has whole seconds.
 */
async function compareClocks(host: HostReader, { hostname: name, origin }: URL): Promise<Verdict> {
  const answer = await host.get({ url: `${origin}/` }).catch(() => undefined);
  if (!answer) {
    return skipped(`${name} does not answer, which other probes report`);
  }
  const { headers } = answer;
  const theirs = Date.parse(headers.date ?? '');
  if (Number.isNaN(theirs)) {
    return skipped(`${name} does not say what time it is`);
  }
  const skew = host.now() - theirs;
  const skewText = `${Math.abs(Math.round(skew / 1_000))} s ${skew < 0 ? 'behind' : 'ahead of'} ${name}`;
  if (Math.abs(skew) < someSkew) {
    return ok(skewText);
  }
  const repair =
    'timedatectl set-ntp true; chronyc tracking (or timedatectl timesync-status) shows why it is off';
  return Math.abs(skew) < muchSkew
    ? warning(`${skewText}.`, repair)
    : failure(`${skewText}: certificates and tokens look expired, or not yet valid.`, repair);
}
