import { unpackAnew } from '../unpacked.ts';
import type { KnownLine } from './known-line.ts';

/** The lines that K3s logs about its settings and its host, each with its source (k3s-io/k3s, August 2026). */
export const hostCauses: readonly KnownLine[] = [
  {
    // From pkg/cluster/bootstrap.go; for a server that joins another, from pkg/clientaccess/token.go
    pattern: /critical configuration (value )?mismatch/,
    sample:
      'time="2026-08-01T10:00:00Z" level=fatal msg="starting kubernetes: preparing server: critical configuration value mismatch: cluster-cidr"',
    reason: 'K3sConfigInvalid',
    fault: 'elsewhere',
    repair: 'Give k3s.config the values the other servers have.',
  },
  {
    // From urfave/cli, for a key of config.yaml that the command does not have
    pattern: /flag provided but not defined: -(\S+)/,
    sample: 'Incorrect Usage: flag provided but not defined: -cluster-init',
    reason: 'K3sConfigInvalid',
    fault: 'release',
    repair: 'Remove that key from k3s.config and from /etc/rancher/k3s/config.yaml.d.',
  },
  {
    // From urfave/cli and the flag package of Go, for a value of the wrong type
    pattern: /invalid (boolean )?value "[^"]*" for (flag )?-/,
    sample: String.raw`time="2026-08-01T10:00:00Z" level=fatal msg="Error: invalid value \"x\" for flag -v: parse error"`,
    reason: 'K3sConfigInvalid',
    repair: 'Correct that key in k3s.config or in /etc/rancher/k3s/config.yaml.d.',
  },
  {
    // From cmd/k3s/main.go, stageAndRun, for unpacked programs; from pkg/agent/config/config.go, get, for the CNI
    // plugins
    pattern: /^exec format error$|exec: "(k3s-(server|agent)|host-local)": executable file not found/,
    sample: String.raw`time="2026-08-01T10:00:00Z" level=fatal msg="exec: \"k3s-agent\": executable file not found in $PATH"`,
    reason: 'ServiceFailed',
    repair: unpackAnew,
  },
  {
    // From kubelet 1.35 and newer, cmd/kubelet/app
    pattern: /configured to not run on a host using cgroup v1/,
    sample: String.raw`time="2026-08-01T10:00:00Z" level=error msg="Shutdown request received: \"kubelet exited: kubelet is configured to not run on a host using cgroup v1\""`,
    reason: 'ServiceFailed',
    fault: 'release',
    repair: 'Boot this host with cgroup v2, or set fail-cgroupv1=false in kubelet-arg of k3s.config.',
  },
  {
    // From kubelet, pkg/credentialprovider/plugin
    pattern: /[Ff]ailed to register CRI auth plugins/,
    sample:
      'E1101 12:00:00.000000    4711 server.go:250] "Failed to register CRI auth plugins" err="plugin binary executable  did not exist"',
    reason: 'ServiceFailed',
    repair: 'Correct /var/lib/rancher/credentialprovider/config.yaml, or remove it.',
  },
  {
    // From pkg/agent/config/config.go, Get, which reads registries.yaml in the same loop
    pattern: /(server is not ready|failed to retrieve agent configuration): .*(yaml: |registries\.yaml)/,
    sample:
      'time="2026-08-01T10:00:00Z" level=info msg="Waiting to retrieve agent configuration; server is not ready: yaml: unmarshal errors:\\n  line 2: cannot unmarshal !!str `x` into registries.Registry"',
    reason: 'RegistriesInvalid',
    fault: 'elsewhere',
    repair: 'Correct /etc/rancher/k3s/registries.yaml; K3s reads it again by itself.',
  },
  {
    // From pkg/configfilearg/parser.go
    pattern: /yaml: (line \d|unmarshal|mapping|did not)/,
    sample:
      'time="2026-08-01T10:00:00Z" level=fatal msg="yaml: line 3: mapping values are not allowed in this context"',
    reason: 'K3sConfigInvalid',
    fault: 'elsewhere',
    repair: 'Correct the YAML of the files in /etc/rancher/k3s/config.yaml.d.',
  },
  {
    // From write(2), ENOSPC, and from SQLite, SQLITE_FULL
    pattern: /no space left on device|database or disk is full/,
    sample:
      'time="2026-08-01T10:00:00Z" level=fatal msg="Failed to start k3s: creating storage endpoint: database or disk is full"',
    reason: 'DiskFull',
    fault: 'elsewhere',
    repair: 'Free space on the disk of /var/lib/rancher/k3s; K3s starts again by itself.',
  },
  {
    // From kubelet with --protect-kernel-defaults
    pattern: /[Ii]nvalid kernel flag/,
    sample:
      'E1101 12:00:00.000000    4711 kubelet.go:1703] "Failed to start ContainerManager" err="[invalid kernel flag: kernel/panic, expected value: 10, actual value: 1]"',
    reason: 'ServiceFailed',
    repair: 'Another file in /etc/sysctl.d sets it; kubelet refuses it under protect-kernel-defaults.',
  },
];
