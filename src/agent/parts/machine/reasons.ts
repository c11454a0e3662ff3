/** The reasons that the checks of the machine report, each with its meaning. */
export const machineReasons = {
  UnsafePath:
    'Another user owns, or can write to, a settings file, or a directory or link on the path to a file that root runs or trusts.',
  MountedNoexec: 'A directory from which K3s runs programs is mounted noexec.',
  CgroupsUnsupported:
    'The kernel uses cgroups v1, but the wanted K3s (1.35 or newer) needs cgroups v2 by default.',
  MemoryTooSmall: 'The VM has less memory than its role needs.',
  UnsupportedArchitecture: 'K3s is published for x64 and arm64; this machine is neither.',
} as const;
