/** The reasons about an interruption of the node's service. */
export const maintenanceReasons = {
  Held: 'A person holds this node: Slipway neither starts nor restarts K3s until the hold is released.',
} as const;
