/** The reasons of the checks of the machine. */
export const machineReasons = {
  UnsafePath:
    'A directory, link or settings file on the way to what root runs or trusts belongs to another user, or others may write to it.',
  MountedNoexec: 'A directory from which K3s is run is on a file system that is mounted noexec.',
  CgroupsUnsupported:
    'The kernel has cgroups of version 1, with which the wanted K3s (1.35 and newer) does not start.',
  MemoryTooSmall: 'The VM has less memory than its role needs.',
  UnsupportedArchitecture: 'K3s is published for x64 and arm64; this machine is neither.',
} as const;
