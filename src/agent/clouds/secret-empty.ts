import { NodeError, type NodeErrorOptions } from '../engine/errors.ts';

/** Returns `SecretEmpty` for a secret in the vault whose value is empty. */
export function secretEmpty(name: string, options: NodeErrorOptions = {}): NodeError {
  return new NodeError('SecretEmpty', `The secret ${name} is empty. Store its value in the vault.`, options);
}
