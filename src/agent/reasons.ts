/** The reasons of problems with the role. */
export const roleReasons = {
  RoleMissing: 'The VM has no k3s-role tag and the settings name no role.',
  RoleUnknown: 'The k3s-role tag names no role that Slipway knows.',
} as const;

/** The reasons of problems with the name and the address of the node. */
export const nodeReasons = {
  NodeNameInvalid: 'The computer name is not a valid Kubernetes node name: set node.name.',
  NodeAddressUnknown:
    'The address of the node is not known: set node.ip, or set static.address to an address that the machine has.',
} as const;
