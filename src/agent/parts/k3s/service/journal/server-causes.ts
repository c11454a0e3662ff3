import type { KnownLine } from './known-line.ts';

/**
 * The lines that K3s logs because of a fault of its node, or while it waits for its server or a file. Each has its
 * source (k3s-io/k3s, August 2026).
 */
export const serverCauses: readonly KnownLine[] = [
  {
    // From pkg/agent/run.go, NewProxy loop, on HTTP 401
    pattern:
      /(Failed to validate connection to cluster|[Ss]erver is not ready).*(401 Unauthorized|not authorized)/,
    sample:
      'time="2026-08-01T10:00:00Z" level=info msg="Waiting to retrieve agent configuration; server is not ready: failed to retrieve configuration from server: https://127.0.0.1:6444/v1-k3s/config: 401 Unauthorized"',
    reason: 'TokenRejected',
    fault: 'elsewhere',
    agentOnly: true,
    repair: 'Put the token of that server into the secret.',
  },
  {
    // From pkg/agent/config/config.go, if the server was rebuilt and the agent still has files from the old one
    pattern: /x509: certificate signed by unknown authority/,
    sample: String.raw`time="2026-08-01T10:00:00Z" level=error msg="Failed to validate connection to cluster at https://10.0.0.4:6443: failed to get CA certs: Get \"https://127.0.0.1:6444/cacerts\": tls: failed to verify certificate: x509: certificate signed by unknown authority"`,
    reason: 'ServerChanged',
    fault: 'elsewhere',
    agentOnly: true,
    repair:
      'If the server was rebuilt, the condition ServerReachable names the consent with which this agent joins it.',
  },
  {
    // From pkg/agent/config/config.go, Get, whose loop logs faults of the node and faults of the server with the same
    // prefix; the rest of the line distinguishes them
    pattern:
      /(?:server is not ready|failed to retrieve agent configuration): (?=\S)(?!.*(?:https?:\/\/|from server|CA certs|\b[45]\d\d\b|EOF|connection re(?:fused|set)|timeout|deadline exceeded|context canceled|no route to host|no such host|x509|tls: |not ready|starting|dial ))/s,
    sample: String.raw`time="2026-08-01T10:00:00Z" level=info msg="Waiting to retrieve agent configuration; server is not ready: \"overlayfs\" snapshotter cannot be enabled for \"/var/lib/rancher/k3s/agent/containerd\""`,
    reason: 'ServiceFailed',
    repair: 'That is a fault of this node and not of its server; K3s tries again every few seconds.',
  },
  {
    // From pkg/agent/config/config.go, Get, and pkg/agent/run.go, on HTTP 503
    pattern: /server is not ready|503 Service Unavailable/,
    sample:
      'time="2026-08-01T10:00:00Z" level=info msg="Waiting to retrieve agent configuration; server is not ready: https://127.0.0.1:6444/v1-k3s/config: 503 Service Unavailable"',
    reason: 'ServerNotReady',
    fault: 'elsewhere',
    endedBy: 'time',
    agentOnly: true,
    repair: 'It is asked again every few seconds.',
  },
  {
    // From pkg/agent/run.go, NewProxy loop
    pattern: /Failed to validate connection to cluster|failed to get CA certs/,
    sample: String.raw`time="2026-08-01T10:00:00Z" level=error msg="Failed to validate connection to cluster at https://10.0.0.4:6443: failed to get CA certs: Get \"https://127.0.0.1:6444/cacerts\": EOF"`,
    reason: 'ServerUnreachable',
    fault: 'elsewhere',
    endedBy: 'time',
    agentOnly: true,
    repair: ({ firewall }) => `Check that the server runs, and that ${firewall} lets TCP 6443 pass.`,
  },
  {
    // From pkg/util/file.go, ReadFile
    pattern: /Waiting for file .* to be created/,
    sample: String.raw`time="2026-08-01T10:00:00Z" level=info msg="Waiting for file \"/var/lib/slipway/join-token\" to be created"`,
    reason: 'ServiceStarting',
    fault: 'elsewhere',
    endedBy: 'time',
    repair: 'Slipway puts it there.',
  },
];
