/** Reasons for failures of the store of the backups. */
export const storeReasons = {
  StoreUnavailable: 'The store does not answer, or answers with a server error.',
  StoreForbidden:
    'The store refuses this identity, credential or address: give it the rights that the message names.',
  StoreNotFound: 'The folder, container or bucket that backup.to names does not exist.',
  StoreUnsuitable: 'The store cannot hold the backups of this node: the message says why.',
  StoreConflict:
    'The store has another object under a name that must be new; Slipway replaces nothing there.',
  StoreUncertain:
    'The store did not show whether this node or another one owns an object; Slipway asks again.',
  StoreLimit: 'The store has more objects, or a larger object, than Slipway reads.',
  ObjectNotFound: 'The store has no object with this name, or does not show it yet.',
} as const;
