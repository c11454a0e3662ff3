import * as z from 'zod/mini';
import type { CloudHints } from '../../../clouds/driver.ts';
import { parseJson } from '../../../engine/json.ts';
import type { Reason } from '../../../engine/reasons.ts';
import type { Severity } from '../../../engine/severity.ts';
import { unpackAnew } from './unpacked.ts';

/** Why K3s does not come up, as a condition says it. */
export interface Cause extends Pick<Severity, 'endedBy'> {
  readonly reason: Reason;
  readonly message: string;
}

/** The newest line of K3s's log that says why it does not come up; `undefined` while it says nothing of the kind. */
export function findCause(log: string, command: 'server' | 'agent', hints: CloudHints): Cause | undefined {
  const known = causes.filter(({ agentOnly }) => !agentOnly || command === 'agent');
  for (const line of log.split('\n').reverse()) {
    const said = message(line);
    const cause = known.find(({ pattern }) => pattern.test(said));
    if (!cause) continue;
    const { reason, repair, endedBy = 'person' } = cause;
    const advice = typeof repair === 'string' ? repair : repair(hints);
    return { reason, message: `K3s says: "${shortened(said)}". ${advice}`, endedBy };
  }
  return undefined;
}

/** The last thing K3s said before it ended: its last fatal or error line, else its last line. */
export function lastWords(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const line =
    lines.findLast((line) => /level=(fatal|error)|^(Error|panic):|^[EF]\d{4} /.test(line)) ?? lines.at(-1);
  return line && shortened(message(line));
}

interface KnownLine {
  readonly pattern: RegExp;
  readonly reason: Reason;
  /** What to do. */
  readonly repair: string | ((hints: CloudHints) => string);
  /** A person, unless it passes without a repair. */
  readonly endedBy?: 'time';
  /** A server says it of itself in every start. */
  readonly agentOnly?: true;
}

/** Lines of K3s, by the source they come from (k3s-io/k3s, August 2026). */
const causes: readonly KnownLine[] = [
  {
    // pkg/agent/config/config.go, getNodeNamedCrt
    pattern: /Node password rejected/,
    reason: 'NodePasswordRejected',
    repair:
      'Run kubectl delete node for this node on the server if it was rebuilt, or set another node.name.',
  },
  {
    // pkg/clientaccess/token.go, validateCAHash
    pattern: /token CA hash does not match the Cluster CA certificate hash/,
    reason: 'TokenCaMismatch',
    repair: 'Put the token of that server into the secret, or correct k3s.server.',
  },
  {
    // pkg/clientaccess/token.go, parseToken
    pattern: /invalid token (CA hash length|format)|token must not be empty/,
    reason: 'SecretEmpty',
    repair: 'Put the whole token of that server into the secret.',
  },
  {
    // pkg/cluster/storage.go, getBootstrapKeyFromStorage
    pattern: /bootstrap data already found and encrypted with different token/,
    reason: 'DatastoreTokenMismatch',
    repair: 'Put the token this server was installed with into the secret; K3s starts with no other.',
  },
  {
    // pkg/cluster/storage.go, normalizeToken
    pattern: /failed to normalize (server )?token/,
    reason: 'SecretEmpty',
    repair: 'Store a plain password as the join token of a server.',
  },
  {
    // pkg/cluster/bootstrap.go, and pkg/clientaccess/token.go for a joining server
    pattern: /critical configuration (value )?mismatch/,
    reason: 'K3sConfigInvalid',
    repair: 'Give k3s.config the values the other servers have.',
  },
  {
    // urfave/cli, for a key of config.yaml that the command does not have
    pattern: /flag provided but not defined: -(\S+)/,
    reason: 'K3sConfigInvalid',
    repair: 'Remove that key from k3s.config and from /etc/rancher/k3s/config.yaml.d.',
  },
  {
    // urfave/cli and the standard library's flag, for a value of the wrong type
    pattern: /invalid (boolean )?value "[^"]*" for (flag )?-/,
    reason: 'K3sConfigInvalid',
    repair: 'Correct that key in k3s.config or in /etc/rancher/k3s/config.yaml.d.',
  },
  {
    // cmd/k3s/main.go, stageAndRun, of what extract has unpacked; pkg/agent/config/config.go, get, of the CNI plugins
    pattern: /^exec format error$|exec: "(k3s-(server|agent)|host-local)": executable file not found/,
    reason: 'ServiceFailed',
    repair: unpackAnew,
  },
  {
    // kubelet 1.35 and newer, cmd/kubelet/app
    pattern: /configured to not run on a host using cgroup v1/,
    reason: 'ServiceFailed',
    repair: 'Boot this host with cgroup v2, or set fail-cgroupv1=false in kubelet-arg of k3s.config.',
  },
  {
    // kubelet, pkg/credentialprovider/plugin
    pattern: /[Ff]ailed to register CRI auth plugins/,
    reason: 'ServiceFailed',
    repair: 'Correct /var/lib/rancher/credentialprovider/config.yaml, or remove it.',
  },
  {
    // pkg/agent/config/config.go, Get: what reads registries.yaml fails in this loop
    pattern: /(server is not ready|failed to retrieve agent configuration): .*(yaml: |registries\.yaml)/,
    reason: 'RegistriesInvalid',
    repair: 'Correct /etc/rancher/k3s/registries.yaml; K3s reads it again by itself.',
  },
  {
    // pkg/configfilearg/parser.go
    pattern: /yaml: (line \d|unmarshal|mapping|did not)/,
    reason: 'K3sConfigInvalid',
    repair: 'Correct the YAML of the files in /etc/rancher/k3s/config.yaml.d.',
  },
  {
    // kubelet under --protect-kernel-defaults
    pattern: /[Ii]nvalid kernel flag/,
    reason: 'ServiceFailed',
    repair: 'Another file in /etc/sysctl.d sets it; kubelet refuses it under protect-kernel-defaults.',
  },
  {
    // pkg/agent/run.go, NewProxy loop, on HTTP 401
    pattern:
      /(Failed to validate connection to cluster|[Ss]erver is not ready).*(401 Unauthorized|not authorized)/,
    reason: 'TokenRejected',
    agentOnly: true,
    repair: 'Put the token of that server into the secret.',
  },
  {
    // pkg/agent/config/config.go: what an agent has of a server that was rebuilt
    pattern: /x509: certificate signed by unknown authority/,
    reason: 'ServerChanged',
    agentOnly: true,
    repair:
      'If the server was rebuilt, the condition ServerReachable names the consent with which this agent joins it.',
  },
  {
    // pkg/agent/config/config.go, Get: what a node does for itself fails in the same loop; the text after it decides
    pattern:
      /(?:server is not ready|failed to retrieve agent configuration): (?=\S)(?!.*(?:https?:\/\/|from server|CA certs|\b[45]\d\d\b|EOF|connection re(?:fused|set)|timeout|deadline exceeded|context canceled|no route to host|no such host|x509|tls: |not ready|starting|dial ))/s,
    reason: 'ServiceFailed',
    repair: 'That is a fault of this node and not of its server; K3s tries again every few seconds.',
  },
  {
    // pkg/agent/config/config.go, Get; pkg/agent/run.go, on HTTP 503
    pattern: /server is not ready|503 Service Unavailable/,
    reason: 'ServerNotReady',
    endedBy: 'time',
    agentOnly: true,
    repair: 'It is asked again every few seconds.',
  },
  {
    // pkg/agent/run.go, NewProxy loop
    pattern: /Failed to validate connection to cluster|failed to get CA certs/,
    reason: 'ServerUnreachable',
    endedBy: 'time',
    agentOnly: true,
    repair: ({ firewall }) => `Check that the server runs, and that ${firewall} lets TCP 6443 pass.`,
  },
  {
    // pkg/util/file.go, ReadFile
    pattern: /Waiting for file .* to be created/,
    reason: 'ServiceStarting',
    endedBy: 'time',
    repair: 'Slipway puts it there.',
  },
];

/** What klog puts before a message (k8s.io/klog/v2): severity and date, time, process, place. */
const klogHead = /^[IWEF]\d{4} [\d:.]+\s+\d+ \S+:\d+\] /;

/** What a line of logrus (`time=... level=... msg="..."`) or of klog says; another line as it is. */
function message(line: string): string {
  const [, quoted, bare] = /\bmsg=(?:("(?:[^"\\]|\\.)*")|(\S+))/.exec(line) ?? [];
  if (bare !== undefined) return bare;
  if (quoted === undefined) return line.trim().replace(klogHead, '');
  return parseJson(z.string(), quoted) ?? quoted.slice(1, -1);
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}
